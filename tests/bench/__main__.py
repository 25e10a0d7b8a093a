"""Every benchmark in turn: `make bench`."""

from tests.bench import build, cold, memory

build.main()
cold.main()
memory.main()
