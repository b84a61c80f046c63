# SPDX-License-Identifier: GPL-2.0
"""The trace: what the two forms hold."""

import socket
import unittest

from chalk_records import LOST, Reader, inode, names
import net

PORT = 7100
FLAGS = "FSRPAUEC"
# What text and binary show in the same way.
SAME = ("conn seq ack len wnd snd_una snd_nxt rcv_nxt cwnd ssthresh flight "
        "snd_wnd rcv_wnd srtt rttvar rto unsent unread netns ooo mss").split()


def end_of(address: bytes, port: int) -> str:
    """An endpoint as the text has it."""
    if address[:12] == b"\0" * 10 + b"\xff\xff":
        return f"{socket.inet_ntop(socket.AF_INET, address[12:])}:{port}"
    return f"[{socket.inet_ntop(socket.AF_INET6, address)}]:{port}"


def as_text(record: dict, known: dict) -> dict:
    """A binary record as the row of text it should be."""
    name = names_of_change(record, known)
    return {
        **{key: str(record[key]) for key in SAME},
        "time": f"{record['time'] // 1000 / 1e6:.6f}",
        "local": end_of(record["laddr"], record["lport"]),
        "remote": end_of(record["raddr"], record["rport"]),
        "event": known["kind"][record["kind"]],
        "cause": known["cause"][record["cause"]],
        "clause": known["clause"][record["cause"]],
        "state": known["state"][record["state"]],
        "flags": "".join(letter for bit, letter in enumerate(FLAGS)
                         if record["flags"] >> bit & 1) or ".",
        "old": name(record["old"]),
        "new": name(record["new"]),
    }


def names_of_change(record: dict, known: dict):
    """How this kind of event shows old and new."""
    if known["kind"][record["kind"]] == "state":
        return known["state"].get
    return str


def is_over(port: int) -> bool:
    """Nothing of @port's connections is on its way any more."""
    return all(row["state"] == "TIME_WAIT" for row in net.table("conns")
               if f":{port}" in (row["local"][-5:], row["remote"][-5:]))


def talk(family=socket.AF_INET, size=20000, port=PORT):
    """A connection from alice to bob and back, closed by both. At the return
    all readers of the trace have all of it."""
    server = net.listener("bob", port, family=family)
    client = net.chalk_socket("alice", family)
    client.connect((net.BOB6 if family == socket.AF_INET6 else net.BOB, port))
    peer = server.accept()[0]
    net.carry(client, peer, b"x" * size)
    net.carry(peer, client, b"y" * 100)
    client.close()
    peer.recv(1)
    peer.close()
    server.close()
    assert net.wait_until(lambda: is_over(port), 120)


class Forms(unittest.TestCase):
    def known(self):
        known = names()
        known["clause"] = {int(row["number"]): row["clause"]
                           for row in net.table("names")
                           if row["what"] == "cause"}
        return known

    def compare(self, family):
        with net.Net(), Reader("trace") as text, Reader("trace_raw") as raw:
            net.Net.netem("delay 5ms loss 5%")
            talk(family, 100000)
            known = self.known()
            rows = [as_text(r, known) for r in raw.records()]
            self.assertGreater(len(rows), 200)
            # the two were opened one after the other, in silence
            shown = text.rows()
        self.assertEqual(len(shown), len(rows))
        for line, row in zip(shown, rows):
            self.assertEqual(line, row)

    def test_raw_equals_text(self):
        self.compare(socket.AF_INET)

    def test_raw_equals_text_ipv6(self):
        self.compare(socket.AF_INET6)

    def test_names_are_complete(self):
        known = names()
        self.assertEqual(known["kind"].pop(LOST), "lost")
        for what, some in (("kind", "rtt_refused"), ("cause", "close"),
                           ("cause", "paws"), ("state", "TIME_WAIT")):
            self.assertEqual(list(known[what]), list(range(len(known[what]))))
            self.assertIn(some, known[what].values())

    def test_netns_column(self):
        with net.Net(), Reader("trace") as text:
            talk()
            rows = text.rows()
            numbers = {net.ALICE: inode("alice"), net.BOB: inode("bob")}
        self.assertEqual({row["local"].split(":")[0] for row in rows},
                         set(numbers))
        for row in rows:
            self.assertEqual(int(row["netns"]),
                             numbers[row["local"].split(":")[0]])

    def test_every_change_of_the_variables_has_its_record(self):
        with net.Net(), Reader("trace") as text:
            net.Net.netem("delay 5ms loss 10%")
            talk(size=300000)
            rows = text.rows()
        told: dict = {}
        for row in rows:
            last = told.setdefault(row["conn"], row)
            self.assertNotEqual(row["cause"], "-")
            # records have none of these, nor has that of an orphan
            orphan = row["state"] == "FIN_WAIT_2" and row["mss"] == "0"
            for name in ("cwnd", "ssthresh", "snd_wnd", "mss"):
                if row["state"] in ("LISTEN", "SYN_RCVD", "TIME_WAIT") \
                        or last["state"] == "SYN_RCVD" or orphan \
                        or row["event"] == "state":
                    continue
                if row["event"] == name:
                    self.assertEqual((row["old"], row["new"]),
                                     (last[name], row[name]))
                else:
                    self.assertEqual(row[name], last[name], row)
            told[row["conn"]] = row
        self.assertGreater(len([r for r in rows if r["event"] == "cwnd"]), 20)


if __name__ == "__main__":
    unittest.main()
