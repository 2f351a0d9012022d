"""See each operation of a run below autograd, on this thread alone."""

from typing import Any

from torch._C._dynamo import eval_frame
from torch.utils._python_dispatch import TorchDispatchMode


class OperationMode(TorchDispatchMode):
    """A dispatch mode that torch's compiler does not trace, and that does not import the compiler.

    Torch itself imports its compiler at the mode's first call to mark it so, which takes as long as importing torch.
    """

    def __init_subclass__(cls, **settings: Any) -> None:
        super().__init_subclass__(**settings)  # type: ignore[no-untyped-call]
        skip = eval_frame._FrameAction.SKIP  # the method, and whatever it calls
        eval_frame.set_code_exec_strategy(cls.__torch_dispatch__.__code__, eval_frame._FrameExecStrategy(skip, skip))

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False
