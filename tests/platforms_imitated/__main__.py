"""An imitated platform to try things with: ``python -m tests.platforms_imitated shopify --port 9001 [FILE…]``.

FILEs hold orders as the platform shows them. Stops with Ctrl-C.
"""

import argparse
import json
from pathlib import Path
from threading import Event

from tests.platforms_imitated.imitation import Imitation, serving
from tests.platforms_imitated.shopify import ImitatedShopify
from tests.platforms_imitated.shopline import ImitatedShopline
from tests.platforms_imitated.shopline_global import ImitatedShoplineGlobal
from tests.platforms_imitated.woocommerce import ImitatedWooCommerce

_ALL: dict[str, type[Imitation]] = {
    one.platform: one for one in (ImitatedShopify, ImitatedWooCommerce, ImitatedShopline, ImitatedShoplineGlobal)
}


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(description="Serves an imitated shop platform on this machine.")
    parser.add_argument("platform", choices=sorted(_ALL))
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("orders", nargs="*", type=Path)
    arguments = parser.parse_args()
    imitation = _ALL[arguments.platform]()
    for path in arguments.orders:
        read = json.loads(path.read_text())
        imitation.put(*(read if isinstance(read, list) else [read]))
    with serving(imitation, port=arguments.port):
        print(f"{imitation.platform} at {imitation.url}")  # noqa: T201
        Event().wait()


if __name__ == "__main__":
    main()
