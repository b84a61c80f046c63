# SPDX-License-Identifier: GPL-2.0
"""dnsmasq and dig: records over datagrams and streams, a resolver that caches."""

import re

from programs import HERE, SERVER, SERVER6, Program

# An answer that takes long is no failure, where the clock is the host's.
PATIENT = ("+tries=3", "+time=30")


class Dns(Program):
    """What both kinds share."""

    how = ()

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.serve("dnsmasq", "-C", HERE / "dnsmasq.conf", port=53)

    def dig(self, name, kind, *options, to=SERVER):
        """What dig prints for a question."""
        return self.client("dig", f"@{to}", name, kind, *PATIENT, *self.how,
                           *options)

    def short(self, name, kind, **to):
        """Only the answers."""
        return self.dig(name, kind, "+short", **to).splitlines()


class Records:
    """The tests of both kinds."""

    def test_records(self):
        for name, kind, answers in (
                ("www.lab", "A", ["10.0.1.2"]),
                ("www.lab", "AAAA", ["fd00::2"]),
                ("web.lab", "CNAME", ["www.lab."]),
                ("web.lab", "A", ["www.lab.", "10.0.1.2"]),
                ("lab", "NS", ["ns.lab."]),
                ("lab", "MX", ["10 mail.lab."])):
            self.assertEqual(self.short(name, kind), answers, name + kind)

    def test_reverse(self):
        self.assertEqual(self.short("9.1.0.10.in-addr.arpa", "PTR"),
                         ["mail.lab."])

    def test_ipv6(self):
        self.assertEqual(self.short("mail.lab", "A", to=SERVER6),
                         ["10.0.1.9"])

    def test_no_such_name(self):
        self.assertIn("status: NXDOMAIN", self.dig("nobody.lab", "A"))

    def test_not_ours(self):
        self.assertIn("status: REFUSED", self.dig("example.org", "A"))


class Datagrams(Records, Dns):
    """Questions and answers in one datagram each."""

    kinds = ("dgram",)

    def test_truncated(self):
        out = self.dig("long.lab", "TXT", "+noedns", "+ignore")
        self.assertRegex(out, r"flags: qr .*\btc\b")

    def test_large(self):
        out = self.dig("long.lab", "TXT", "+bufsize=4096")
        self.assertEqual(out.count("lazy dog number 3"), 4)

    def test_cache(self):
        cache = self.serve("dnsmasq", "-C", HERE / "dnsmasq-cache.conf",
                           port=53, host="client")
        for _ in range(3):
            self.assertEqual(self.short("mail.lab", "A", to="127.0.0.1"),
                             ["10.0.1.9"])
        self.assertEqual(
            re.findall(r"(forwarded|cached) mail\.lab",
                       cache.log.read_text()),
            ["forwarded", "cached", "cached"])


class Streams(Records, Dns):
    """The same over streams."""

    how = ("+tcp",)

    def test_many_on_one(self):
        out = self.dig("www.lab", "A", "+keepopen", "+short", f"@{SERVER}",
                       "mail.lab", "A", "+tcp", "+keepopen", "+short")
        self.assertEqual(out.split(), ["10.0.1.2", "10.0.1.9"])


class Both(Dns):
    """What does not fit into a datagram comes again over a stream."""

    kinds = ("dgram", "stream")

    def test_truncated_then_whole(self):
        out = self.dig("long.lab", "TXT", "+noedns")
        self.assertEqual(out.count("lazy dog number 3"), 4)
