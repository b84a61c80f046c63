# SPDX-License-Identifier: GPL-2.0
"""nginx and curl: HTTP/1.1, TLS, HTTP/2, a cache in front."""

import re
import time

from net import exact_clock, sh
from programs import CLIENT6, HERE, SERVER, SERVER6, Program, scaled, sha256

URL = f"http://{SERVER}:8080"
CACHE = f"http://{SERVER}:8081"
TLS = f"https://{SERVER}:8443"


class Nginx(Program):
    """One server for all tests."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        www = cls.dir / "www"
        (www / "upload").mkdir(parents=True)
        (www / "index.html").write_text("Hello\n")
        cls.big = cls.file("www/big", scaled(16 << 20))
        sh(f"cp {HERE}/nginx.conf {cls.dir} && cd {cls.dir}"
           " && chown www-data www/upload"
           " && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256"
           f" -nodes -subj /CN=lab -addext subjectAltName=IP:{SERVER}"
           " -keyout key.pem -out cert.pem")
        cls.serve("nginx", "-p", cls.dir, "-c", "nginx.conf",
                  "-g", "daemon off;", port=8080)

    def curl(self, *argv) -> str:
        """curl's output."""
        return self.client("curl", "-sS", *argv)

    def status(self, *argv) -> str:
        """The status code of a request, its body being thrown away."""
        return self.curl("-o", "/dev/null", "-w", "%{http_code}", *argv)

    def raw(self, request: str) -> str:
        """What the server answers to these bytes until it closes."""
        return self.client("nc", "-w", "20", SERVER, 8080,
                           input=request.replace("\n", "\r\n"))

    def test_get(self):
        self.assertEqual(self.curl(f"{URL}/index.html"), "Hello\n")

    def test_get_ipv6(self):
        self.assertEqual(self.curl(f"http://[{SERVER6}]:8080/"), "Hello\n")
        log = (self.dir / "access.log").read_text()
        self.assertIn(f"\n{CLIENT6} - ", log)

    def test_head(self):
        head = self.curl("-I", f"{URL}/index.html")
        self.assertRegex(head, "^HTTP/1.1 200 OK\n")
        self.assertIn("\nContent-Length: 6\n", head)

    def test_put_get_delete(self):
        where = f"{URL}/upload/big"
        self.assertEqual(self.status("-T", self.big, where), "201")
        self.assertEqual(sha256(self.dir / "www/upload/big"),
                         sha256(self.big))
        self.assertEqual(self.status("-X", "DELETE", where), "204")
        self.assertEqual(self.status(where), "404")

    def test_post(self):
        form = "name=chalk&word=socket"
        self.assertEqual(self.status("-d", form, f"{URL}/store"), "201")
        self.assertEqual(self.curl(f"{URL}/upload/stored"), form)

    def test_status_301(self):
        self.assertEqual(self.status(f"{URL}/old"), "301")
        self.assertEqual(self.curl("-L", f"{URL}/old"), "Hello\n")

    def test_status_304(self):
        page = f"{URL}/index.html"
        date = re.search("\nLast-Modified: (.*)\n", self.curl("-I", page))[1]
        self.assertEqual(self.status("-z", date, page), "304")
        self.assertEqual(self.status("-z", "1 Jan 2001", page), "200")

    def test_status_400(self):
        self.assertRegex(self.raw("GET / HTTP/1.1\nno colon\n\n"),
                         "^HTTP/1.1 400 Bad Request\n")

    def test_status_404(self):
        self.assertEqual(self.status(f"{URL}/nowhere"), "404")

    def test_status_505(self):
        self.assertRegex(self.raw("GET / HTTP/3.0\n\n"), "^HTTP/1.1 505 ")

    def test_range(self):
        text = self.client("curl", "-sS", "-i", "-r", "1000-1099",
                           f"{URL}/big", text=False)
        head, _, body = text.partition(b"\r\n\r\n")
        self.assertRegex(head, b"^HTTP/1.1 206 Partial Content\r\n")
        self.assertEqual(body, self.big.read_bytes()[1000:1100])

    def test_keep_alive(self):
        used = self.curl("-w", "%{num_connects} ", f"{URL}/", f"{URL}/",
                         f"{URL}/")
        self.assertEqual(re.findall(r"\d", used), ["1", "0", "0"])

    def test_pipelining(self):
        request = "GET /index.html HTTP/1.1\nHost: lab\n"
        answer = self.raw(19 * (request + "\n")
                          + request + "Connection: close\n\n")
        self.assertEqual(answer.count("HTTP/1.1 200 OK"), 20)
        self.assertEqual(answer.count("Hello\n"), 20)

    def test_cookie(self):
        jar = self.dir / "jar"
        self.assertEqual(self.curl("-c", jar, f"{URL}/cookie"), "cookie=")
        self.assertEqual(self.curl("-b", jar, f"{URL}/cookie"),
                         "cookie=first")

    def test_large_file(self):
        got = self.dir / "got"
        self.curl("-o", got, f"{URL}/big")
        self.assertEqual(sha256(got), sha256(self.big))

    def test_slow_reader(self):
        got = self.dir / "slow"
        self.curl("--limit-rate", "2M", "-r", "0-1048575", "-o", got,
                  f"{URL}/big")
        self.assertEqual(got.read_bytes(),
                         self.big.read_bytes()[:1 << 20])

    def test_tls(self):
        got = self.dir / "tls"
        version = self.curl("--cacert", self.dir / "cert.pem", "--http1.1",
                            "-w", "%{http_version} %{ssl_verify_result}",
                            "-o", got, f"{TLS}/big")
        self.assertEqual(version, "1.1 0")
        self.assertEqual(sha256(got), sha256(self.big))

    def test_http2(self):
        names = [self.dir / f"h2-{i}" for i in range(8)]
        pairs = [arg for name in names for arg in ("-o", name, f"{TLS}/big")]
        used = self.curl("--cacert", self.dir / "cert.pem", "--http2", "-Z",
                         "-r", "0-99999",
                         "-w", "%{http_version}:%{http_code}:%{num_connects} ",
                         *pairs)
        wanted = self.big.read_bytes()[:100000]
        for name in names:
            self.assertTrue(name.read_bytes() == wanted, name)
        # one connection; which of its streams ends first nobody promises
        self.assertEqual(sorted(used.split()), 7 * ["2:206:0"] + ["2:206:1"])

    def requests(self, name: str) -> list:
        """Status codes the origin answered for a file."""
        log = (self.dir / "access.log").read_text()
        return re.findall(rf'"GET /{name} HTTP/1.1" (\d+) ', log)

    @exact_clock
    def test_cache(self):
        (self.dir / "www/cached").write_text("kept\n")
        states = []
        for wait in (0, 0, 6, 0):
            time.sleep(wait)
            answer = self.curl("-i", f"{CACHE}/cached")
            self.assertTrue(answer.endswith("kept\n"))
            states += re.findall(r"X-Cache: (\w+)", answer)
        self.assertEqual(states, ["MISS", "HIT", "REVALIDATED", "HIT"])
        # four by the cache, of which two reached the origin
        self.assertEqual(sorted(self.requests("cached")),
                         ["200", "200", "200", "200", "200", "304"])
