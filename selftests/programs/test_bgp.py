# SPDX-License-Identifier: GPL-2.0
"""BGP between two systems: bird on each host."""

from net import wait_until
from programs import HERE, PATIENCE, Program, sh


class Bgp(Program):
    """The two daemons for all tests."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for host in ("client", "server"):
            cls.serve("bird", "-f", "-c", HERE / f"bird-{host}.conf", "-s",
                      cls.dir / host, port=179, host=host)

    def birdc(self, host, *words):
        """What a daemon says when it is asked."""
        return sh(f"birdc -s {self.dir / host} {' '.join(words)}")

    def await_route(self, host, network, there=True):
        """Until a daemon knows a way to @network, or no more."""
        self.assertTrue(wait_until(
            lambda: (network in self.birdc(host, "show", "route")) == there,
            120 * PATIENCE, 1), f"{host} {network} {there}\n"
            + self.birdc(host, "show", "protocols"))

    def test_routes(self):
        for host, networks in (
                ("server", ("198.51.100.0/24", "2001:db8:1::/48")),
                ("client", ("203.0.113.0/24", "2001:db8:2::/48"))):
            for network in networks:
                self.await_route(host, network)
        self.assertIn("AS65001i", self.birdc("server", "show", "route"))
        for name in ("peer", "peer6"):
            self.assertIn("Established", self.birdc(
                "client", "show", "protocols", name))

    def test_withdrawn(self):
        self.await_route("server", "198.51.100.0/24")
        self.birdc("client", "disable", "four")
        self.await_route("server", "198.51.100.0/24", False)
        self.birdc("client", "enable", "four")
        self.await_route("server", "198.51.100.0/24")

    def test_session_ends_and_returns(self):
        self.await_route("server", "198.51.100.0/24")
        self.birdc("client", "disable", "peer")
        self.await_route("server", "198.51.100.0/24", False)
        self.birdc("client", "enable", "peer")
        self.await_route("server", "198.51.100.0/24")

    def test_silent_peer(self):
        """The hold time runs out where the line is cut."""
        self.await_route("server", "198.51.100.0/24")
        sh("ip -n client link set c0 down")
        self.await_route("server", "198.51.100.0/24", False)
        sh("ip -n client link set c0 up && ip -n client addr replace"
           " fd00::1/64 dev c0 nodad")
        self.await_route("server", "198.51.100.0/24")
