"""Pages on the device, and their copies on the host."""

import torch

from pagepool.settings import device_of


class Pool:
    """A fixed number of pages, copied on a stream of their own."""

    def __init__(self, pages: int, page_size: int, rank: int) -> None:
        self.device = device_of(rank)
        self.pages = torch.empty(pages, page_size, dtype=torch.bfloat16, device=self.device)
        self.host = torch.empty_like(self.pages, device="cpu", pin_memory=True)
        self.stream = torch.cuda.Stream()

    def store(self, index: int) -> torch.cuda.Event:
        """Copy a page out, behind what computes it."""
        self.stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self.stream):
            self.host[index].copy_(self.pages[index], non_blocking=True)
            done = torch.cuda.Event()
            done.record(self.stream)
        return done

    def load(self, index: int, slots: torch.Tensor) -> torch.Tensor:
        """Bring a page back; the caller may use it at once."""
        assert self.pages.is_cuda, "the pages must be on CUDA"
        slots = slots.cuda(non_blocking=True)
        self.pages[index].copy_(self.host[index], non_blocking=True)
        torch.cuda.synchronize()
        return self.pages[index].index_select(0, slots)

    def free_bytes(self) -> int:
        free, _ = torch.cuda.mem_get_info()
        return free
