"""The metrics of a process without pages: a small web server beside the work."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import uvicorn

from fedaid.app import Instance
from fedaid.web.metrics import MetricsAlone


class _Beside(uvicorn.Server):
    """Leaves the signals to the work, which ends this server when it ends."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def side_door(instance: Instance, port: int | None) -> AsyncIterator[None]:
    """Shows them at the ``host`` of the settings and this port, until the block ends; nothing where no port is given.

    The process ends with uvicorn's status 3 when the port is taken.
    """
    if port is None:
        yield
        return
    config = uvicorn.Config(
        MetricsAlone(instance.metrics),
        host=instance.settings.host,
        port=port,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
    )
    server = _Beside(config)
    serving = asyncio.create_task(server.serve())
    try:
        yield
    finally:
        server.should_exit = True
        await serving
