"""Every benchmark in turn: `make bench`."""

from tests.bench import (
    adapter,
    build,
    cold,
    cold_function,
    container,
    image,
    memory,
    modal_adapter,
    modal_deploy,
    packaging,
)

build.main()
packaging.main()
cold.main()
memory.main()
cold_function.main()
adapter.main()
container.main()
image.main()
modal_adapter.main()
modal_deploy.main()
