"""A pickle is a program for a small stack machine. This one runs it without an instruction that could do harm.

Python's own machine looks up any name that a pickle asks for and calls it: whoever wrote the file decides what runs.
Here a name is looked up in a table that the reader hands in, and nothing is imported. What comes out are numbers,
texts, lists, tuples, dicts, sets, and what the table's entries make.

The machine is also safe from pickles that are merely exhausting. The number of instructions is bounded, so a file full
of MARKs ends. A key of a dict is a text or a small number: the hash of a tuple that contains the same tuple twice, and
so on sixty levels down, would take for ever, and integers can be chosen to collide. Lengths are compared with the file
when they are read.

The instructions are documented in the standard library's `pickletools`, which also takes the bytes apart for us.
"""

import pickletools

MOST_INSTRUCTIONS = 1_000_000
_LARGEST_KEY = 2**61 - 2  # of integers; from there on Python's hash begins anew


class Buildable:
    """Base class of what a table's entries make and a BUILD instruction completes."""

    def set_state(self, state):
        """Take the state that the pickle has for this object."""


def run(file, names, load_persistent=None):
    """The value of the pickle that begins where `file` stands; `file` then stands behind it.

    Args:
        file: a binary file that can seek.
        names: dict from (module, name) to what the pickle gets for it: a function, which is called where the pickle
            calls the name, or any other value, which can only be passed on.
        load_persistent: a function that gives the value of a persistent id.

    Raises ValueError for a name that is not in the table and for a program that makes no sense.
    """
    machine = _Machine(names, load_persistent)
    for count, (instruction, argument, _) in enumerate(pickletools.genops(Bounded(file))):
        if count >= MOST_INSTRUCTIONS:
            raise ValueError(f"a pickle of more than {MOST_INSTRUCTIONS} instructions")
        if instruction.name == "STOP":
            break
        machine.step(instruction.name, argument)
    return machine.pop()


class Bounded:
    """A file that reads no more than it has: ``file.read(n)`` would first allocate n bytes."""

    def __init__(self, file):
        self._file, at = file, file.tell()
        self._size = file.seek(0, 2)
        file.seek(at)
        self.readline, self.tell = file.readline, file.tell

    def read(self, n):
        return self._file.read(min(n, self._size - self._file.tell())) if n > 256 else self._file.read(n)


class _Machine:
    def __init__(self, names, load_persistent):
        self.names, self.load_persistent = names, load_persistent
        self.stack, self.below, self.memo = [], [], {}  # the stack above the last mark; those below it

    def pop(self):
        if not self.stack:
            raise ValueError("a pickle that takes from an empty stack")
        return self.stack.pop()

    def pop_to_mark(self):
        """A list of the values above the last mark."""
        if not self.below:
            raise ValueError("a pickle that misses a mark")
        items, self.stack = self.stack, self.below.pop()
        return items

    def step(self, name, argument):
        if name in _LITERALS:
            self.stack.append(argument)
        elif name in _CONSTANTS:
            self.stack.append(_CONSTANTS[name])
        elif name in _TUPLES:
            items = [self.pop() for _ in range(_TUPLES[name])]
            self.stack.append(tuple(reversed(items)))
        elif name in ("PUT", "BINPUT", "LONG_BINPUT"):
            self.memo[argument] = self._top()
        elif name == "MEMOIZE":
            self.memo[len(self.memo)] = self._top()
        elif name in ("GET", "BINGET", "LONG_BINGET"):
            if argument not in self.memo:
                raise ValueError("a pickle that remembers what it has not seen")
            self.stack.append(self.memo[argument])
        elif name not in ("PROTO", "FRAME"):
            method = getattr(self, f"do_{name.lower()}", None)
            if method is None:
                raise ValueError(f"the instruction {name} of pickle is not read")
            method(argument)

    def _top(self):
        if not self.stack:
            raise ValueError("a pickle that takes from an empty stack")
        return self.stack[-1]

    # ---- the stack ----

    def do_mark(self, _):
        self.below.append(self.stack)
        self.stack = []

    def do_pop(self, _):
        if self.stack:
            self.stack.pop()
        else:
            self.pop_to_mark()

    def do_pop_mark(self, _):
        self.pop_to_mark()

    def do_dup(self, _):
        self.stack.append(self._top())

    # ---- containers ----

    def do_empty_list(self, _):
        self.stack.append([])

    def do_empty_dict(self, _):
        self.stack.append({})

    def do_empty_set(self, _):
        self.stack.append(set())

    def do_list(self, _):
        items = self.pop_to_mark()
        self.stack.append(items)

    def do_tuple(self, _):
        items = self.pop_to_mark()
        self.stack.append(tuple(items))

    def do_dict(self, _):
        items = self.pop_to_mark()
        self.stack.append(_fill({}, items))

    def do_frozenset(self, _):
        items = self.pop_to_mark()
        self.stack.append(frozenset(_key(item) for item in items))

    def do_append(self, _):
        item = self.pop()
        self._container(list).append(item)

    def do_appends(self, _):
        items = self.pop_to_mark()
        self._container(list).extend(items)

    def do_setitem(self, _):
        value, key = self.pop(), self.pop()
        _fill(self._container(dict), [key, value])

    def do_setitems(self, _):
        items = self.pop_to_mark()
        _fill(self._container(dict), items)

    def do_additems(self, _):
        items = self.pop_to_mark()
        self._container(set).update(_key(item) for item in items)

    def _container(self, kind):
        container = self._top()
        if not isinstance(container, kind):
            raise ValueError(f"a pickle that takes a {type(container).__name__} for a {kind.__name__}")
        return container

    # ---- names ----

    def do_global(self, argument):
        module, _, name = argument.partition(" ")  # pickletools joins the two lines with a blank
        self._look_up(module, name)

    def do_stack_global(self, _):
        name, module = self.pop(), self.pop()
        if not (isinstance(module, str) and isinstance(name, str)):
            raise ValueError("a pickle that asks for a name that is no text")
        self._look_up(module, name)

    def _look_up(self, module, name):
        if (module, name) not in self.names:
            raise ValueError(
                f"the pickle asks for {module[:100]}.{name[:100]}, which is neither an array nor a container"
            )
        self.stack.append(self.names[module, name])

    def do_reduce(self, _):
        arguments, function = self.pop(), self.pop()
        # Only the table's functions are ever on the stack: nothing else that could be called gets there.
        if not callable(function) or not isinstance(arguments, tuple):
            raise ValueError("a pickle that calls what cannot be called")
        self.stack.append(function(*arguments))

    do_newobj = do_reduce

    def do_build(self, _):
        state = self.pop()
        built = self._top()
        if isinstance(built, Buildable):
            built.set_state(state)
        elif not isinstance(built, dict):  # an OrderedDict may have attributes, such as a state dict's _metadata
            raise ValueError(f"a pickle that gives a state to a {type(built).__name__}")

    def do_persid(self, argument):
        self._persistent(argument)

    def do_binpersid(self, _):
        self._persistent(self.pop())

    def _persistent(self, persistent_id):
        if self.load_persistent is None:
            raise ValueError("a pickle with a persistent id, which has no meaning here")
        self.stack.append(self.load_persistent(persistent_id))


_LITERALS = frozenset(
    "INT BININT BININT1 BININT2 LONG LONG1 LONG4 FLOAT BINFLOAT STRING BINSTRING SHORT_BINSTRING UNICODE BINUNICODE "
    "SHORT_BINUNICODE BINUNICODE8 BINBYTES SHORT_BINBYTES BINBYTES8".split()
)
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False, "EMPTY_TUPLE": ()}
_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}


def _fill(container, items):
    """Put keys and values, which alternate in `items`, into a dict."""
    if len(items) % 2:
        raise ValueError("a pickle with a key without a value")
    for k in range(0, len(items), 2):
        container[_key(items[k])] = items[k + 1]
    return container


def _key(value):
    if not (
        value is None or isinstance(value, (str, bytes)) or (isinstance(value, int) and abs(value) <= _LARGEST_KEY)
    ):
        raise ValueError(f"a pickle with a {type(value).__name__} as the key of a dict or the element of a set")
    return value
