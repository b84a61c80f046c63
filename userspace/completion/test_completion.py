# SPDX-License-Identifier: GPL-2.0
"""test_completion.py - what bash offers after "chalk ...", with the built tools."""

import os
import re
import subprocess
import unittest

HERE = os.path.dirname(os.path.realpath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
BIN = os.path.join(TOP, "build/bin")
ENV = dict(os.environ, PATH=f"{BIN}:{os.environ['PATH']}")
COMPLETE = """
source "$0" || exit
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
_chalk
printf '%s\\n' "${COMPREPLY[@]}"
"""


def offered(*words: str) -> list:
    """What bash offers for the last of these words."""
    done = subprocess.run(["bash", "-c", COMPLETE, f"{HERE}/chalk", *words],
                          env=ENV, check=True, capture_output=True, text=True)
    return done.stdout.split()


def output(*words: str) -> str:
    """Of a command."""
    return subprocess.run(words, env=ENV, check=True, capture_output=True,
                          text=True).stdout


class Completion(unittest.TestCase):
    """Against what the tools themselves say"""

    def test_commands(self):
        """each program there is, and those that begin so"""
        programs = [name[len("chalk-"):] for name in os.listdir(BIN)
                    if name.startswith("chalk-")]
        self.assertLessEqual(set(programs), set(offered("chalk", "")))
        self.assertEqual(offered("chalk", "lad"), ["ladder"])
        self.assertEqual(offered("chalk", "help", "pl"), ["plot"])

    def test_options(self):
        """each option of each command: what its usage line has, and no other"""
        for command in offered("chalk", "help", ""):
            with self.subTest(command):
                words = offered("chalk", command, "--")
                self.assertIn("--version", words)
                text = output("chalk", command, "--help")
                for word in words:
                    if word != "--version":
                        self.assertRegex(text, rf"(?m)^ +.*{word}(?![a-z-])")
                usage = re.search(r"(?s)[Uu]sage: (.*?)\n\n", text)[1]
                for word in re.findall(r"\[(--[a-z-]+)", usage):
                    self.assertIn(word, words)
        self.assertEqual(offered("chalk", "ladder", "--hand"), ["--handshake"])
        self.assertEqual(offered("chalk", "sim", "--drop-sy"),
                         ["--drop-syn", "--drop-synack"])

    def test_values(self):
        """what an option takes, where the help lists it"""
        self.assertEqual(offered("chalk", "report", "--lang", ""), ["en", "zh"])
        self.assertIn("cwnd", offered("chalk", "plot", "t.tsv", "--kind", ""))
        self.assertEqual(offered("chalk", "run", "--only", "c"), ["connect"])

    def test_files(self):
        """nothing of ours where the name of a file goes: bash has those"""
        self.assertEqual(offered("chalk", "ladder", ""), [])
        self.assertEqual(offered("chalk", "ladder", "--out", ""), [])

    def test_program(self):
        """chalk run: a program of $PATH, then words that are its own"""
        self.assertIn("python3", offered("chalk", "run", "--verbose", "pyth"))
        self.assertEqual(offered("chalk", "run", "python3", "--ver"), [])
        self.assertEqual(offered("chalk", "run", "--ports", "80", "python3",
                                 "--ver"), [])


class Version(unittest.TestCase):
    """One for all"""

    def test_all_say_the_same(self):
        """the command, each command of it, the module, the changelog"""
        with open(f"{TOP}/kmod/main.c", encoding="utf-8") as file:
            version = re.search(r'MODULE_VERSION\("(.*?)"\)', file.read())[1]
        with open(f"{TOP}/CHANGELOG.md", encoding="utf-8") as file:
            newest = re.search(r"(?m)^## (\d\S*)", file.read())[1]
        self.assertEqual(newest, version)
        for command in ("", *offered("chalk", "help", "")):
            with self.subTest(command):
                first = output(*f"chalk {command} --version".split())
                self.assertEqual(first.split("\n")[0], f"chalk {version}")
