import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.ArrayList;
import java.util.List;

/** Threads, garbage, sockets, processes, files. */
public class Main {
    public static void main(String[] args) throws Exception {
        ExecutorService pool = Executors.newFixedThreadPool(8);
        List<Future<Integer>> sums = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            sums.add(pool.submit(() -> {
                int n = 0;
                for (int j = 0; j < 2000; j++) n += new byte[4096].length;
                return n;
            }));
        }
        for (Future<Integer> f : sums) if (f.get() != 2000 * 4096) throw new Exception("wrong sum");
        try (ServerSocket server = new ServerSocket(0, 4, InetAddress.getLoopbackAddress())) {
            Future<?> served = pool.submit(() -> {
                try (Socket s = server.accept()) { s.getOutputStream().write("hello".getBytes()); }
                return null;
            });
            try (Socket s = new Socket(server.getInetAddress(), server.getLocalPort())) {
                if (s.getInputStream().readAllBytes().length != 5) throw new Exception("short reply");
            }
            served.get();
        }
        Process p = new ProcessBuilder("sh", "-c", "echo hi").start();
        try (InputStream in = p.getInputStream()) {
            if (in.readAllBytes().length != 3 || p.waitFor() != 0) throw new Exception("process");
        }
        Path file = Files.createTempFile("main", "");
        Files.write(file, new byte[1 << 20]);
        if (Files.readAllBytes(file).length != 1 << 20) throw new Exception("short file");
        Files.delete(file);
        System.gc();
        pool.shutdown();
        System.out.println("all done");
    }
}
