# SPDX-License-Identifier: Apache-2.0
"""When members disagree: proceed, act on a smaller scale, or abstain."""

from server.forecasting.prediction import Action, Decision


def decide(
    vote_share: float,
    *,
    answered: int,
    asked: int,
    min_responses: int,
    min_agreement: float,
    high_agreement: float,
    decided: bool = True,
) -> Decision:
    """The verdict on a vote.

    Under the quorum, without a decision by the pooling's own rule, or below
    ``min_agreement``: abstain. Below ``high_agreement``: reduce the size by the
    vote share. Otherwise: proceed.
    """
    if answered < min_responses:
        return Decision(
            Action.ABSTAIN,
            0.0,
            f"only {answered} of {asked} members gave an answer that counts; {min_responses} are wanted",
        )
    if not decided:
        return Decision(Action.ABSTAIN, 0.0, "the pooling's own rule found no winner")
    if vote_share < min_agreement:
        return Decision(
            Action.ABSTAIN, 0.0, f"agreement {vote_share:.2f} is below the threshold {min_agreement:.2f}"
        )
    if vote_share < high_agreement:
        return Decision(
            Action.REDUCE,
            vote_share,
            f"agreement {vote_share:.2f} is below {high_agreement:.2f}: size times {vote_share:.2f}",
        )
    return Decision(Action.PROCEED, 1.0, f"agreement {vote_share:.2f} is at least {high_agreement:.2f}")
