# SPDX-License-Identifier: GPL-2.0
"""telnet: inetd starts telnetd with the connection as its standard input."""

from programs import HERE, SERVER, Program

# A session with Python's telnetlib: options are negotiated, commands run, the
# server is asked whether it is there, and then to abort its output, which it
# answers with urgent data: the mark is where the output begins again.
SESSION = """
import socket, sys, telnetlib
with telnetlib.Telnet(sys.argv[1], timeout=60) as telnet:
    telnet.sock.setsockopt(socket.SOL_SOCKET, socket.SO_OOBINLINE, 1)
    telnet.write(b"stty -echo; PS1=; echo go'ne'\\n")
    telnet.read_until(b"gone\\r\\n", 60)
    telnet.write(b"echo $((6 * 7))\\n")
    print(telnet.read_until(b"\\n", 60).decode().strip())
    telnet.sock.sendall(telnetlib.IAC + telnetlib.AYT)
    print(telnet.read_until(b"[Yes]", 60).decode().strip())
    telnet.sock.sendall(telnetlib.IAC + telnetlib.AO)
    telnet.write(b"\\necho again\\n")
    print(telnet.read_until(b"again", 60).decode()[-5:])
    telnet.write(b"exit\\n")
    telnet.read_all()
    print("closed")
"""

# The client, typed at by somebody who waits for what it prints. What comes
# after the echo of a command, with a prompt or not, is its answer.
TYPE = """
import subprocess, sys
with subprocess.Popen(["inetutils-telnet", sys.argv[1]], stdin=-1, stdout=-1,
                      stderr=-2, bufsize=0) as telnet:
    def see(what):
        seen = b""
        while not seen.endswith(what):
            byte = telnet.stdout.read(1)
            if not byte:
                sys.exit("closed after " + repr(seen))
            seen += byte
    see(b"# ")
    telnet.stdin.write(b"echo $((6 * 7))\\n")
    see(b"\\n42")
    telnet.stdin.write(b"exit\\n")
    see(b"closed by foreign host.")
    print("42, and closed")
"""


class Telnet(Program):
    """One server for all tests."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.serve("inetutils-inetd", "-d", HERE / "inetd.conf", port=23)

    def test_session(self):
        out = self.client("python3", "-W", "ignore", "-c", SESSION, SERVER)
        self.assertEqual(out.split(), ["42", "[Yes]", "again", "closed"])

    def test_client(self):
        self.assertEqual(self.client("python3", "-c", TYPE, SERVER),
                         "42, and closed\n")
