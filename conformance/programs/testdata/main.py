# Threads that compete for a lock, processes, sockets, files.
import socket
import subprocess
import tempfile
import threading

total, lock = 0, threading.Lock()


def add():
    global total
    for _ in range(2000):
        with lock:
            total += 1


threads = [threading.Thread(target=add) for _ in range(8)]
for t in threads:
    t.start()
for t in threads:
    t.join()
assert total == 16000

assert subprocess.run(["sh", "-c", "echo hi | cat"], capture_output=True, check=True).stdout == b"hi\n"


def echo(server):
    for _ in range(4):
        conn, _ = server.accept()
        with conn:
            conn.sendall(conn.recv(100))


with socket.create_server(("127.0.0.1", 0)) as server:
    t = threading.Thread(target=echo, args=(server,))
    t.start()
    for _ in range(4):
        with socket.create_connection(server.getsockname()) as c:
            c.sendall(b"x" * 100)
            assert c.recv(100)
    t.join()

with tempfile.TemporaryFile() as f:
    f.write(bytes(1 << 20))
    f.seek(0)
    assert len(f.read()) == 1 << 20

socket.getaddrinfo("localhost", 80)
print("all done")
