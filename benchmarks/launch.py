"""In the client's process: send discord.py to the stub, then run the bot or the bare client.

The bot itself knows nothing of this; it is `python -m bot run` with another address for Discord.
"""

from __future__ import annotations

import os
import sys

import yarl
from discord.gateway import DiscordWebSocket
from discord.http import Route


def main() -> int:
    Route.BASE = os.environ["STUB_API"]
    DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(os.environ["STUB_GATEWAY"])
    if sys.argv[1] == "bare":
        from benchmarks import bare

        bare.main()
        return 0
    from bot.__main__ import main as bot_main

    return bot_main(["run"])


if __name__ == "__main__":
    sys.exit(main())
