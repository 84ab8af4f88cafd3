# SPDX-License-Identifier: Apache-2.0
"""A language model as a forecaster."""

from server.forecasting.deadline import Deadline
from server.forecasting.forecast import Answer
from server.forecasting.judging import Shown
from server.forecasting.ports import Identity
from server.forecasting.query import Query
from server.llm import bounds
from server.llm.asking import Asking, Member
from server.llm.failures import Parameter
from server.llm.prompting import Prompter
from server.llm.provider import Provider
from server.llm.settings import ChatSettings

#: Kept back from the deadline for reading the answer and closing the connection.
MARGIN_S = 0.02


class ChatForecaster:
    """Fits ``forecasting.ports.Forecaster``. The provider is shared and outlives it.

    Raises:
        PromptError: a prompt cannot be read.
        ValueError: a setting has no place in the provider's format, or a parameter is not known.
    """

    def __init__(self, name: str, settings: ChatSettings, provider: Provider) -> None:
        endpoint = provider.endpoint(settings.model, settings.price)
        for parameter in settings.unsupported:
            endpoint.learn_refused(Parameter(parameter))
        _check_taken(settings, provider)
        prompter = Prompter(settings.prompt, dict(settings.variants), provider.allowed, provider.clock)
        self._member = Member(name, settings, provider, endpoint, prompter)
        self._identity = Identity("chat", provider.name, settings.model)

    @property
    def identity(self) -> Identity:
        """Kind, provider and model."""
        return self._identity

    @property
    def circuit(self) -> str:
        """State of the model's circuit breaker."""
        return self._member.endpoint.breaker.state.value

    @property
    def shown(self) -> Shown:
        """What of a question may be shown to its provider."""
        provider = self._member.provider
        return {provider.name: provider.allowed}

    @property
    def prompt_version(self) -> str:
        """Hashes of the prompts that it may use."""
        return self._member.prompter.version

    @property
    def warm_kinds(self) -> tuple[str, ...]:
        """Kinds of questions to be asked before the first real one."""
        return self._member.provider.settings.warm_kinds

    async def forecast(self, query: Query, deadline: Deadline) -> Answer:
        """The model's forecast by the deadline, or why there is none.

        Cancelled, it closes the connection, tells the observer what the attempt
        may have cost, and lets the cancellation through.
        """
        answer, _ = await self.asked(query, deadline)
        return answer

    async def asked(self, query: Query, deadline: Deadline) -> tuple[Answer, bool]:
        """As ``forecast``, and whether another model or provider may mend an absence."""
        own_key = query.keys.get(self._member.provider.name) if query.keys else None
        asking = Asking(self._member, query, deadline.earlier(MARGIN_S), own_key)
        return await asking.run(), asking.may_be_mended_elsewhere

    def revive(self) -> None:
        """Use refused keys, an unknown model and an open circuit again at once."""
        self._member.provider.revive(self._member.endpoint)

    def upper_bound(self, query: Query) -> int | None:
        """More than one attempt can cost, in nano US dollars.

        None: nobody knows what the model costs. A local server costs nothing.
        """
        member = self._member
        messages = member.prompter.messages(query, in_words=True)
        return bounds.upper_bound(member.provider, member.settings, messages, member.endpoint.refused)

    def expected(self, query: Query) -> int | None:
        """A guess at what one attempt costs, in nano US dollars; None as above."""
        member = self._member
        messages = member.prompter.messages(query, in_words=False)
        return bounds.expected(member.provider, member.settings, messages)

    @property
    def is_free(self) -> bool:
        """Whether it is a server of one's own without a price."""
        provider = self._member.provider
        return bounds.is_free(provider, provider.book.find(self._member.settings.model))

    @property
    def max_calls(self) -> int:
        """Attempts at one answer, at most."""
        return self._member.provider.settings.retries.max_attempts

    async def close(self) -> None:
        """Nothing of its own to close: connections belong to the provider."""


def _check_taken(settings: ChatSettings, provider: Provider) -> None:
    """No setting may be dropped without a word."""
    wanted = {name for name in ("seed", "temperature") if getattr(settings, name) is not None}
    wanted |= {"schema_mode"} if settings.schema_mode == "tool" else set()
    for name in sorted(wanted & provider.wire.lacks):
        format_, value = provider.settings.format, getattr(settings, name)
        raise ValueError(
            f"{name}: format {format_} has no place for {value!r}; leave it out, or put it into 'extra' "
            "in the model's own words"
        )
