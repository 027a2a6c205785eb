# program: /usr/bin/php
# package: php-cli
# runs: /usr/bin/dash /usr/bin/true /usr/bin/cat
cat >main.php <<'END'
<?php
$d = sys_get_temp_dir() . "/x"; mkdir($d); file_put_contents("$d/f", str_repeat("x", 100000), LOCK_EX); copy("$d/f", "$d/g"); rename("$d/g", "$d/h"); link("$d/h", "$d/i"); symlink("$d/h", "$d/s"); chmod("$d/h", 0600); touch("$d/h"); $f = fopen("$d/h", "r+"); flock($f, LOCK_EX); ftruncate($f, 10); fsync($f); fseek($f, 0); fread($f, 3); fclose($f); scandir($d); glob("$d/*"); disk_free_space($d); tempnam($d, "y"); realpath($d); fileperms($d);
assert(trim(shell_exec("cat /etc/hostname; echo ok")) != ""); exec("true"); $p = proc_open(["cat"], [["pipe", "r"], ["pipe", "w"]], $pipes); fwrite($pipes[0], "x"); fclose($pipes[0]); stream_get_contents($pipes[1]); proc_close($p);
if (file_get_contents(getenv("HTTP") . "/hello") != "hello\n") exit(1); @file_get_contents(getenv("HTTPS") . "/hello"); $c = stream_context_create(["ssl" => ["verify_peer" => false, "verify_peer_name" => false]]); if (file_get_contents(getenv("HTTPS") . "/hello", false, $c) != "hello\n") exit(1);
$s = stream_socket_server("tcp://127.0.0.1:0"); $c = stream_socket_client("tcp://" . stream_socket_get_name($s, false)); $a = stream_socket_accept($s); fwrite($a, "line\n"); $r = [$c]; $w = $e = null; stream_select($r, $w, $e, 1); if (fgets($c) != "line\n") exit(1); stream_socket_pair(STREAM_PF_UNIX, STREAM_SOCK_STREAM, 0); stream_socket_shutdown($c, STREAM_SHUT_RDWR);
if (function_exists("pcntl_fork")) { $pid = pcntl_fork(); if (!$pid) exit(0); pcntl_waitpid($pid, $st); pcntl_signal(SIGUSR1, function () {}); posix_kill(posix_getpid(), SIGUSR1); pcntl_signal_dispatch(); pcntl_alarm(0); } posix_getpwnam("root"); posix_uname(); posix_times(); posix_isatty(0); getrusage(); gethostbyname("localhost"); dns_get_record("nothing.invalid", DNS_A) || 1; usleep(100); sleep(0); random_bytes(10); set_time_limit(5); memory_get_usage(); gc_collect_cycles(); hash("sha256", "x"); password_hash("x", PASSWORD_BCRYPT, ["cost" => 4]); setlocale(LC_ALL, "C"); date("c"); sys_getloadavg(); php_uname(); json_encode([1]); preg_match("/a+/", "aaa"); session_start(); openlog("x", 0, LOG_USER); syslog(LOG_DEBUG, "x"); iconv("UTF-8", "LATIN1", "x"); mb_strlen("x") ?? 0; if (function_exists("shm_attach")) shm_attach(1); if (function_exists("msg_get_queue")) msg_remove_queue(msg_get_queue(7)); if (function_exists("sem_get")) sem_remove(sem_get(7)); opcache_get_status() ?? 0; phpinfo();
echo "all done\n";
END
sed -i 's/ mb_strlen("x") ?? 0;//; s/ opcache_get_status() ?? 0;//' main.php
p -d opcache.enable_cli=1 main.php | grep -q 'all done'
p -r 'echo 1+1;' | grep -q 2; p -l main.php; p -m >/dev/null; p -i >/dev/null; fails p -r 'exit(3);'; fails p nothing.php; echo '<?php echo 42;' | p | grep -q 42; p -a </dev/null >/dev/null; p -r 'nothing();' 2>/dev/null >&2 && exit 1
echo '<?php echo 1;' >x.php
start -S "127.0.0.1:$PORT1" -t .
await curl -s -o /dev/null -m 20 "http://127.0.0.1:$PORT1/x.php"
curl -s "http://127.0.0.1:$PORT1/missing" >/dev/null; signal TERM; finish
p -d memory_limit=4M -r '$x = str_repeat("x", 10000000);' >/dev/null 2>&1 || true
