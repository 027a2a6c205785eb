# program: /usr/bin/perl
# package: perl
# runs: /usr/bin/dash /usr/bin/cat /usr/bin/true /usr/bin/infocmp
cat >main.pl <<'END'
use strict; use warnings; use threads; use Socket; use IO::Socket::INET; use IO::Select; use POSIX; use Fcntl qw(:flock SEEK_SET); use File::Temp qw(tempdir); use File::Copy; use File::Find; use Time::HiRes qw(usleep alarm); use Digest::SHA qw(sha256_hex); use Storable; use IPC::Open3; use Sys::Hostname; use Encode; use Data::Dumper; use List::Util; use Cwd;
my $d = tempdir(CLEANUP => 1);
open(my $f, "+>", "$d/f") or die; flock($f, LOCK_EX) or die; print $f "x" x 100000; seek($f, 0, SEEK_SET); truncate($f, 10); close $f;
copy("$d/f", "$d/g") or die; rename "$d/g", "$d/h"; link "$d/h", "$d/i"; symlink "$d/h", "$d/s"; chmod 0600, "$d/h"; utime 1, 1, "$d/h"; mkfifo("$d/p", 0600); find(sub { stat }, $d); opendir(my $o, $d); readdir $o; closedir $o;
my $out = `cat /etc/passwd | cat`; die unless $out; system("true") == 0 or die; system("true;") == 0 or die;
pipe(my $r, my $w); my $pid = fork(); if (!$pid) { print $w "child\n"; close $w; POSIX::_exit(3) } close $w; my $l = <$r>; waitpid($pid, 0); die unless $? >> 8 == 3;
my $n = 0; $SIG{USR1} = sub { $n++ }; kill USR1 => $$; die unless $n; $SIG{ALRM} = sub { $n++ }; alarm(0.01); select(undef, undef, undef, 0.2);
my $s = IO::Socket::INET->new(Listen => 1, LocalAddr => "127.0.0.1") or die; my $c = IO::Socket::INET->new(PeerAddr => "127.0.0.1", PeerPort => $s->sockport) or die; my $a = $s->accept; print $a "line\n"; $a->flush; IO::Select->new($c)->can_read(1); die unless <$c> eq "line\n"; $c->shutdown(2);
socketpair(my $x, my $y, AF_UNIX, SOCK_STREAM, PF_UNSPEC); send $x, "x", 0; recv $y, my $b, 1, 0; gethostbyname("localhost"); getpwnam("root"); getgrgid(0); hostname(); getservbyname("http", "tcp"); my @g = split / /, $(; 
my $t = threads->create(sub { 42 }); die unless $t->join == 42; my $e = open3(my $in, my $oo, undef, "cat"); close $in; waitpid $e, 0;
usleep(100); sleep 0; time; times; umask 077; POSIX::nice(1); ttyname(0); uname(); getpriority(0, 0); setpgrp; getppid; Storable::store({a => 1}, "$d/st"); sha256_hex("x"); crypt("a", "ab"); my $g = glob("$d/*"); chdir "/"; getcwd(); open(my $m, "<", \"mem"); exec "true" or die;
END
p main.pl
p -e 'print 1+1' | grep -q 2
echo text | p -pe 's/t/T/' | grep -q Text
cp main.pl copy.pl; p -i.bak -ne 'print' copy.pl
fails p -e 'die'
fails p nothing.pl
p -c main.pl 2>/dev/null; p -MConfig -V >/dev/null; p -d -e 1 </dev/null >/dev/null 2>&1 || true
p -MHTTP::Tiny -e 'print HTTP::Tiny->new->get("$ENV{HTTP}/hello")->{content}' | grep -q hello
p -e 'kill ABRT => $$' || true
