# SPDX-License-Identifier: GPL-2.0
"""Loading and unloading; last by its name, since it takes the module away."""

import os
import pathlib
import socket
import subprocess
import time
import unittest

import glue
from net import (BOB, BOB6, Net, chalk_socket, listener, sysctl, table,
                 wait_until)
import test_trace_points

MODULE = f"build/{os.environ['CHALK_KERNEL']}/chalk.ko"


def is_loaded() -> bool:
    """chalk is in the kernel."""
    return pathlib.Path("/sys/module/chalk").exists()


def rmmod() -> int:
    """Try to unload, chalk_diag.ko first where it is; the exit status."""
    if pathlib.Path("/sys/module/chalk_diag").exists():
        subprocess.run(["rmmod", "chalk_diag"], check=True)
    return subprocess.run(["rmmod", "chalk"], check=False,
                          capture_output=True).returncode


def unloads() -> bool:
    """It unloads, at once or when RCU has freed the last closed socket."""
    return wait_until(lambda: rmmod() == 0, 20, 0.1)


def slabs() -> dict:
    """Objects in our slab caches: name -> active objects."""
    lines = pathlib.Path("/proc/slabinfo").read_text("ascii").splitlines()[2:]
    return {line.split()[0]: int(line.split()[1]) for line in lines
            if "chalk" in line.lower()}


class Module(unittest.TestCase):
    """rmmod against sockets in every state"""

    def tearDown(self):
        if not is_loaded():
            subprocess.run(["insmod", MODULE], check=True)

    def one_connection(self, family=socket.AF_INET, address=BOB):
        """A listener, and both ends of a connection to it"""
        server = listener("bob", 80, family=family)
        sock = chalk_socket("alice", family)
        sock.connect((address, 80))
        return server, sock, server.accept()[0]

    def test_open_sockets_hold_it(self):
        """bound, listening, connected: refused"""
        with Net():
            socks = self.one_connection()
            for sock in socks:
                self.assertNotEqual(rmmod(), 0)
                sock.close()
            self.assertTrue(wait_until(lambda: rmmod() == 0, 70, 1))

    def test_time_wait_does_not(self):
        """all closed, the records still there: unloads, nothing is left"""
        for family, address in ((socket.AF_INET, BOB),
                                (socket.AF_INET6, BOB6),
                                (socket.AF_INET6, f"::ffff:{BOB}")):
            with Net():
                self.leaves_nothing(self.one_connection(family, address))
            subprocess.run(["insmod", MODULE], check=True)

    def test_time_wait_never_does(self):
        """not even for the moment that a record goes: an rmmod would fail"""
        test_trace_points.setUpModule()
        tracefs = test_trace_points.TRACEFS
        point = tracefs / "events/module/module_get"
        if not point.exists():
            self.skipTest("this kernel has no such tracepoint")
        with Net():
            sysctl("bob", "msl_ms", 1000)
            for sock in reversed(self.one_connection()):
                sock.close()
            # until RCU has freed the sockets
            time.sleep(0.5)
            self.addCleanup(point.joinpath("enable").write_text, "0")
            self.addCleanup(point.joinpath("filter").write_text, "0")
            point.joinpath("filter").write_text('name == "chalk"')
            tracefs.joinpath("trace").write_text("")
            point.joinpath("enable").write_text("1")
            self.assertEqual({r["state"] for r in table("conns")},
                             {"TIME_WAIT"})
            self.assertNotEqual(self.taken(tracefs), [], "a reader of conns")
            tracefs.joinpath("trace").write_text("")
            time.sleep(2.5)
            self.assertEqual(self.taken(tracefs), [])
            self.assertEqual(table("conns"), [])

    @staticmethod
    def taken(tracefs):
        """Who has taken a reference to the module."""
        return [line for line in
                tracefs.joinpath("trace").read_text().splitlines()
                if "module_get" in line and not line.startswith("#")]

    def test_fin_wait_2_does_not(self):
        """closed, and the other side is gone without a word"""
        with Net() as net:
            server, sock, conn = self.one_connection()
            sock.close()
            self.assertEqual(conn.recv(1), b"")
            time.sleep(0.1)
            net.netem("loss 100%")
            glue.abort(conn)
            server.close()
            self.assertEqual([r["state"] for r in table("conns")],
                             ["FIN_WAIT_2"])
            self.assertTrue(unloads(), "long before its minute is over")
            self.assertEqual(slabs(), {})

    def leaves_nothing(self, socks):
        """TIME_WAIT alone is left of @socks; it does not hold the module."""
        for sock in reversed(socks):
            sock.close()
        self.assertTrue(wait_until(
            lambda: {r["state"] for r in table("conns")} == {"TIME_WAIT"}, 20),
            table("conns"))
        self.assertTrue(slabs(), "slab caches are there while loaded")
        self.assertTrue(unloads(), "long before 2 MSL are over")
        self.assertEqual(slabs(), {})

    def test_namespace_ends_first(self):
        """the network goes while a record is left in it"""
        with Net():
            for sock in reversed(self.one_connection()):
                sock.close()
        self.assertTrue(wait_until(lambda: not table("conns"), 60, 0.2))
        self.assertTrue(unloads())

    def test_chalk_diag_holds_it(self):
        """chalk ss loads chalk_diag.ko; without chalk.ko it says so"""
        subprocess.run(["chalk", "ss", "-a"], check=True, capture_output=True)
        self.assertNotEqual(subprocess.run(
            ["rmmod", "chalk"], check=False, capture_output=True).returncode, 0)
        self.assertTrue(unloads())
        self.assertFalse(pathlib.Path("/sys/module/chalk_diag").exists())
        done = subprocess.run(["chalk", "ss"], check=False,
                              capture_output=True, text=True)
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stderr, "chalk ss: chalk.ko is not loaded; "
                         "run: modprobe chalk\n")
        subprocess.run(["insmod", MODULE], check=True)
        subprocess.run(["chalk", "ss"], check=True, capture_output=True)

    def test_tracepoints_on(self):
        """tracefs has records of its events: it goes, and they can be read"""
        test_trace_points.setUpModule()
        test_trace_points.EVENTS.joinpath("enable").write_text("1")
        with Net():
            for sock in reversed(self.one_connection()):
                sock.close()
            self.assertTrue(unloads())
        self.assertFalse(test_trace_points.EVENTS.exists())
        test_trace_points.TRACEFS.joinpath("trace").read_text()

    def test_says_who_it_is(self):
        """a line and a version; socket() of any user does not load it"""
        def of_module(field):
            return subprocess.run(["modinfo", "-F", field, MODULE], check=True,
                                  capture_output=True, text=True).stdout
        version = of_module("version")
        self.assertRegex(version, r"^\d+\.\d+\.\d+\n$")
        self.assertEqual(version, pathlib.Path(
            "/sys/module/chalk/version").read_text("ascii"))
        log = subprocess.run(["dmesg"], check=True, capture_output=True,
                             text=True).stdout
        self.assertIn(f"chalk: Chalk {version.strip()}: streams on IP "
                      "protocol 253, datagrams on 254\n", log)
        self.assertEqual(of_module("alias"), "")

    def test_load_again(self):
        """ten times in and out"""
        for _ in range(10):
            self.assertTrue(unloads())
            subprocess.run(["insmod", MODULE], check=True)


if __name__ == "__main__":
    unittest.main()
