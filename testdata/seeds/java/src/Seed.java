// SPDX-License-Identifier: Apache-2.0
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** Says where it listens and which scratch file it keeps. PORT says where, the arguments whom it greets. */
public final class Seed {
  private Seed() {}

  public static void main(String[] names) throws IOException {
    int port = Integer.parseInt(System.getenv().getOrDefault("PORT", "8080"));
    Path scratch = Files.createTempFile("seed", null);
    String text = "hello, " + (names.length > 0 ? names[0] : "nobody") + ", on port " + port + " with " + scratch.getParent() + "\n";
    byte[] body = text.getBytes(StandardCharsets.UTF_8);
    HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", port), 0);
    server.createContext("/", exchange -> {
      exchange.sendResponseHeaders(200, body.length);
      exchange.getResponseBody().write(body);
      exchange.close();
    });
    server.start();
  }
}
