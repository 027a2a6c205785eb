# program: /usr/bin/python3
# package: python3
# runs: /usr/bin/dash /usr/bin/true /usr/bin/cat /usr/bin/dpkg /usr/bin/dpkg-query /usr/bin/uname
cat >main.py <<'END'
import asyncio, concurrent.futures, multiprocessing.shared_memory, ctypes, fcntl, glob, hashlib, json, lzma, mmap, multiprocessing, os, pathlib, platform, pty, random
import resource, select, selectors, shutil, signal, socket, sqlite3, ssl, subprocess, sys, tempfile, termios, threading, time, urllib.request, zlib
import curses, dbm, decimal, readline, uuid, pwd, grp, logging.handlers, zoneinfo, bz2

def child(q): q.put(sum(range(1000)))

def main():
    url, tls = os.environ["HTTP"], os.environ["HTTPS"]
    assert urllib.request.urlopen(url + "/hello").read() == b"hello\n"
    try: urllib.request.urlopen(tls + "/hello"); assert False
    except urllib.error.URLError: pass
    assert urllib.request.urlopen(tls + "/hello", context=ssl._create_unverified_context()).read() == b"hello\n"
    assert subprocess.run(["cat"], input=b"x", capture_output=True, check=True).stdout == b"x"
    subprocess.run("true; exit 0", shell=True, check=True, start_new_session=True, preexec_fn=lambda: os.umask(7))
    os.system("true")
    q = multiprocessing.Queue(); p = multiprocessing.Process(target=child, args=(q,)); p.start(); assert q.get() == 499500; p.join()
    with concurrent.futures.ThreadPoolExecutor(4) as e: assert sum(e.map(lambda n: n * n, range(10))) == 285
    with multiprocessing.get_context("fork").Pool(2) as pool: pool.map(abs, range(-3, 3))
    multiprocessing.shared_memory.SharedMemory(create=True, size=100).unlink()
    with tempfile.TemporaryDirectory() as d:
        f = pathlib.Path(d, "f"); f.write_text("a" * 10000); os.utime(f); f.chmod(0o600); os.link(f, f"{d}/g"); os.symlink(f, f"{d}/s"); os.truncate(f, 5000)
        shutil.copy2(f, f"{d}/h"); shutil.copytree(d, d + "/tree"); list(os.walk(d)); os.mkfifo(d + "/fifo"); os.rename(d + "/h", d + "/i")
        with open(f, "r+b") as o:
            fcntl.flock(o, fcntl.LOCK_EX); fcntl.lockf(o, fcntl.LOCK_UN); m = mmap.mmap(o.fileno(), 0); m[0] = 66; m.flush(); m.close(); os.fsync(o.fileno()); os.pread(o.fileno(), 3, 1); os.pwritev(o.fileno(), [b"x"], 0); os.posix_fadvise(o.fileno(), 0, 0, 0); os.sendfile(o.fileno(), o.fileno(), 0, 0)
        os.setxattr(f, "user.x", b"1") if os.access(f, os.W_OK) and "XATTR" in os.environ else None
        db = sqlite3.connect(d + "/db"); db.execute("create table t(a)"); db.executemany("insert into t values(?)", [(i,) for i in range(100)]); db.commit(); db.close()
        with dbm.open(d + "/dbm", "c") as k: k["a"] = "b"
        os.statvfs(d); os.listxattr(d); glob.glob(d + "/*")
    got = []; signal.signal(signal.SIGUSR1, lambda *a: got.append(1)); os.kill(os.getpid(), signal.SIGUSR1); assert got
    signal.setitimer(signal.ITIMER_REAL, 0.01); signal.signal(signal.SIGALRM, lambda *a: None); signal.pause()
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR2}); signal.sigtimedwait({signal.SIGUSR2}, 0.01)
    a, b = socket.socketpair(); a.send(b"x"); assert select.select([b], [], [], 1)[0]; b.recv(1); poll = select.poll(); poll.register(b); poll.poll(10); s = selectors.DefaultSelector(); s.register(b, selectors.EVENT_READ); s.select(0.01); socket.send_fds(a, [b"x"], [0]); socket.recv_fds(b, 1, 1)
    socket.getaddrinfo("localhost", 80); socket.gethostname(); u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); u.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); u.bind(("127.0.0.1", 0)); u.sendto(b"x", u.getsockname()); u.recvfrom(1)
    async def server():
        async def serve(r, w): w.write(await r.readline()); await w.drain(); w.close()
        srv = await asyncio.start_server(serve, "127.0.0.1", 0)
        r, w = await asyncio.open_connection(*srv.sockets[0].getsockname()); w.write(b"line\n"); assert await r.readline() == b"line\n"; w.close(); srv.close()
        pr = await asyncio.create_subprocess_exec("true"); await pr.wait()
        await asyncio.to_thread(time.sleep, 0.01)
    asyncio.run(server())
    resource.setrlimit(resource.RLIMIT_NOFILE, (100, resource.getrlimit(resource.RLIMIT_NOFILE)[1])); resource.getrusage(0); os.nice(1); os.sched_getaffinity(0); os.sched_setaffinity(0, os.sched_getaffinity(0)); os.getloadavg(); os.urandom(3); os.getrandom(3); time.sleep(0.01); os.cpu_count(); platform.platform(); uuid.uuid1()
    m, s_ = pty.openpty(); termios.tcgetattr(m); os.ttyname(s_) if os.path.exists("/dev/pts/0") else None
    pid = os.fork()
    if pid == 0: os.setsid(); os._exit(3)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 3
    os.posix_spawn("/bin/true", ["true"], os.environ); os.wait(); os.pipe2(0); os.memfd_create("x"); os.eventfd(0); os.pidfd_open(os.getpid()); ctypes.CDLL(None).getpid(); pwd.getpwnam("root"); grp.getgrgid(0); os.getgroups()
    hashlib.sha3_256(lzma.compress(zlib.compress(b"x" * 9999))).hexdigest(); bz2.compress(b""); json.dumps({"a": decimal.Decimal}.__repr__()); zoneinfo.ZoneInfo("UTC") if os.path.isdir("/usr/share/zoneinfo") else None
    try: open("/nothing")
    except FileNotFoundError: pass
    print("all done")

if __name__ == "__main__": main()
END
p main.py | grep -q 'all done'
p -c 'print(1+1)' | grep -q 2
p -m json.tool <<END | grep -q a
{"a": 1}
END
p -m compileall -q main.py
p -m unittest -q </dev/null 2>&1 || true
fails p -c 'raise SystemExit(3)'
fails p nothing.py
p -I -S -X importtime -c 'import os' 2>/dev/null
p -c 'import os, signal; os.kill(os.getpid(), signal.SIGINT)' 2>/dev/null || true
p -c 'import faulthandler, os; faulthandler.enable(); os.abort()' 2>/dev/null || true
printf 'print(6*7)\n' | p -i 2>/dev/null | grep -q 42
p -m venv --without-pip venv || true
