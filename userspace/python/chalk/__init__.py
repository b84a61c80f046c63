# SPDX-License-Identifier: GPL-2.0
"""chalk - the sockets of Chalk, a TCP to learn from, in Python.

A socket of Chalk is a socket.socket; only how it is made differs:

    import chalk

    with chalk.create_server(("", 8000)) as server:
        conn, address = server.accept()

    with chalk.create_connection(("10.0.2.1", 8000)) as sock:
        sock.sendall(b"hello")

What was written for TCP rides on Chalk after chalk.patch(), or inside

    with chalk.patched():
        http.server.test()

and "python3 -m chalk SCRIPT" does that for a whole program. (For programs in
other languages there is chalk run.)

Without the module in the kernel, making a socket raises NotLoadedError, and
available() is False.
"""

from .constants import (AF_CHALK, CHALKPROTO_INET, CHALKPROTO_INET6,
                        IPPROTO_CHALK, IPPROTO_CHALK_DGRAM, SOL_CHALK)
from .debugfs import connections, events
from .patching import patch, patched, unpatch
from .sockets import (NotLoadedError, available, create_connection,
                      create_server, socket)

try:
    from .version import VERSION as __version__
except ImportError:  # "make install" writes it
    __version__ = "not installed"

__all__ = [
    "AF_CHALK", "CHALKPROTO_INET", "CHALKPROTO_INET6", "IPPROTO_CHALK",
    "IPPROTO_CHALK_DGRAM", "SOL_CHALK",
    "NotLoadedError", "available", "connections", "create_connection",
    "create_server", "events", "patch", "patched", "socket", "unpatch",
]
