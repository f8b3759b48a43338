"""What a number of hostile programs come to, as one line: ``python -m tests.core.virtio.digest FIRST LAST``."""

from __future__ import annotations

import hashlib
import sys
from random import Random

from tests.core.rig import Rig
from tests.core.virtio import hostile


def digest_of(seed: int) -> str:
    """Memory, messages, events and the device's books after the program of a seed."""
    choose = Random(seed)
    packed = choose.random() < 0.4
    profile = "7.2" if packed else choose.choice(["4.1", "7.2"])
    rig = Rig(choose.choice(["", "tx=timer", "ioeventfd=off"]), profile=profile, packed=packed)
    rig.start(choose.choice(hostile.PACKED_FEATURES if packed else hostile.FEATURES), hostile.SIZE)
    hostile.run_program(rig, hostile.random_program(seed, packed), watch=False)
    rig.log.flush()
    found = hashlib.sha256(rig.image())
    found.update(repr(rig.messages()).encode())
    # wall time is the host's
    found.update(repr([row[:1] + row[2:] for row in rig.sink.rows]).encode())
    found.update(repr(rig.peer.frames).encode())
    return found.hexdigest()


def compiled() -> bool:
    """Whether the model runs as native code here."""
    import ringscope_core.trace.log

    return not str(ringscope_core.trace.log.__file__).endswith(".py")


def main() -> None:
    """Print how it runs, then a digest a seed."""
    print("compiled" if compiled() else "pure")
    for seed in range(int(sys.argv[1]), int(sys.argv[2])):
        print(seed, digest_of(seed))


if __name__ == "__main__":
    main()
