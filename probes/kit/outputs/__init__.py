"""The forms of an answer: every module in here is one, with `render(answer, colour) -> str`."""
