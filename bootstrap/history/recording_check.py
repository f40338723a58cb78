"""The check, once a second, that a recorder records; and its word about that to the sensors."""

import time
from collections.abc import Sequence

from bootstrap.contract.recording_word import NAME, recording_word
from bootstrap.contract.subscription import SubscriptionHandle
from bootstrap.device import Context
from bootstrap.history.proof import AGAIN_S, PROOF_S, Proof
from bootstrap.history.recording import Recording

CHECK_S = 1.0
PROBLEM = "recording"  # the name of the problem that it does not record


class RecordingCheck:
    """Compares what is published with what is stored; in the loop."""

    def __init__(
        self,
        context: Context,
        proof: Proof,
        recording: Recording,
        subscription: SubscriptionHandle,
        groups: Sequence[str],
    ) -> None:
        self._context, self._proof, self._recording = context, proof, recording
        self._subscription, self._groups = subscription, groups
        self._times = self._recorded = 0  # subscriptions and stored readings, at the last check
        self._said: tuple[bool, float] | None = None  # whether it records, as announced on this connection

    def check(self) -> bool:
        """Enter or remove the problem, and announce what has changed. Returns whether a reading must be published."""
        last, now, subscription = self._context.published, time.monotonic(), self._subscription
        times, self._times = self._times, subscription.times_subscribed
        if times != self._times:
            self._said = None
        if subscription.trouble or times != self._times:
            self._proof.interrupt(last)
        self._proof.check(last, now, catching_up=self._catching_up())
        self._context.set_problem(PROBLEM, self._proof.trouble or self._announce(now))
        return not subscription.trouble and self._proof.wants_reading(now)

    def progress(self) -> dict[str, float | None]:
        """Return the fields that a heartbeat reports about the recording and the subscription."""
        recording, received = self._recording.progress(), self._subscription.progress()
        return recording | received | {"missed": (recording["missed"] or 0) + (received["missed"] or 0)}

    def _catching_up(self) -> bool:
        """Return whether readings have been stored since the last check that were late."""
        recorded, self._recorded = self._recorded, self._recording.recorded
        return recorded != self._recorded and (self._recording.progress()["lag_s"] or 0) > PROOF_S

    def _announce(self, now: float) -> str | None:
        """Let the sensors know whether it records; return why that is not possible."""
        denied = self._subscription.denied
        said = (self._proof.complete, now // AGAIN_S if denied else 0.0)
        if self._times and said != self._said:
            self._subscription.announce(recording_word(self._groups, recording=self._proof.complete))
            self._said = said
        return denied and f"it may not say that it records ({self._context.sensor}/status/{NAME}): {denied}"
