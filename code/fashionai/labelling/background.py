"""Makes the proposals of a project in a thread: first those that a person waits for, then all others."""
import logging
import threading
from collections import deque
from typing import Deque, Optional

from fashionai.images.decoder import Unreadable, read_or_unreadable, read_upright
from fashionai.labelling.proposals import Proposal, Proposer
from fashionai.labelling.store import Item, Store

_LOOK_SECONDS = 2
"""The thread looks for work so often, since another process may have added it."""

_LOOKED_AT = 6
"""So many garments that people asked for last come first: a page asks for the one that it shows and its neighbours."""

_LOG = logging.getLogger(__name__)


class Background:
    """Makes proposals during a `with` block. `wake` tells it that there may be work, or what a person looks at."""

    def __init__(self, store: Store, proposer: Proposer) -> None:
        self._store, self._proposer = store, proposer
        self._ending, self._work = threading.Event(), threading.Event()
        self._looked_at: Deque[int] = deque(maxlen=_LOOKED_AT)
        self._thread = threading.Thread(target=self._run, name='proposals', daemon=True)

    def __enter__(self) -> 'Background':
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self.wake()
        self._thread.join()

    def wake(self, number: Optional[int] = None) -> None:
        """Tells the thread that there may be work; with a number, that a person looks at this garment."""
        if number is not None:
            self._looked_at.append(number)
        self._work.set()

    def _run(self) -> None:
        while not self._ending.is_set():
            self._work.clear()
            item = self._store.next_without(self._proposer.model, list(self._looked_at))
            if item is None:
                self._work.wait(_LOOK_SECONDS)
                continue
            proposal = proposal_for(item, self._proposer)
            if proposal.fault:
                _LOG.warning('%s', proposal.fault)
            self._store.propose(item.id, self._proposer.model, proposal.to_json())


def proposal_for(item: Item, proposer: Proposer) -> Proposal:
    """Returns the proposal for a garment of a project; its `fault` says so if the picture cannot be read."""
    image = read_or_unreadable(item.picture.path, read_upright)
    if isinstance(image, Unreadable):
        return Proposal(item.label.type, fault=image.reason)
    return proposer.propose(image, item.label.type, item.label.box)
