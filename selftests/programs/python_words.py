# SPDX-License-Identifier: GPL-2.0
"""python_words.py serve PORT | ask HOST PORT CLIENTS BYTES

An application on asyncio as people write them. A client sends text and closes
its half; the server answers with a line, the number of words, then the text
backwards, and closes. The client checks this for many connections at a time.
"""

import asyncio
import random
import sys


async def answer(reader, writer):
    """The server's side of a connection."""
    text = await reader.read()
    writer.write(b"%d\n" % len(text.split()))
    writer.write(text[::-1])
    await writer.drain()
    writer.close()
    await writer.wait_closed()


async def serve(port):
    """The server, on all addresses."""
    server = await asyncio.start_server(answer, None, port, backlog=200)
    async with server:
        await server.serve_forever()


async def ask(host, port, size):
    """The client's side of a connection; whether the answer is right."""
    text = random.randbytes(size)
    reader, writer = await asyncio.open_connection(host, port)
    writer.write(text)
    writer.write_eof()
    count = int(await reader.readline())
    back = await reader.read()
    writer.close()
    await writer.wait_closed()
    return count == len(text.split()) and back == text[::-1]


async def ask_all(host, port, clients, size):
    """Many at once."""
    right = await asyncio.gather(*(ask(host, port, size)
                                   for _ in range(clients)))
    print(f"{sum(right)} right, {len(right) - sum(right)} wrong")


if sys.argv[1] == "serve":
    asyncio.run(serve(int(sys.argv[2])))
else:
    asyncio.run(ask_all(sys.argv[2], *map(int, sys.argv[3:])))
