"""Every benchmark in turn: `make bench`."""

from tests.bench import build, cold, memory, packaging

build.main()
packaging.main()
cold.main()
memory.main()
