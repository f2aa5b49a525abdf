# SPDX-License-Identifier: MIT
"""Rules over C text. They work on the text with comments (and, where it matters, strings) blanked
out, so that words in prose are not taken for code; line numbers stay right."""
import re

FUNCTION_MAX_LINES = 80

_TOKEN = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.DOTALL)


def _blank(match):
    return re.sub(r"[^\n]", " ", match.group())


def without_comments(text):
    return _TOKEN.sub(lambda m: _blank(m) if m.group().startswith("/") else m.group(), text)


def code_only(text):
    """Without comments and without the insides of strings."""
    return _TOKEN.sub(_blank, text)


def _line_of(text, position):
    return text.count("\n", 0, position) + 1


# function -> what to do instead
_BANNED = {
    "strcpy": "buf_append", "strcat": "buf_append", "strncpy": "memcpy", "strncat": "buf_append",
    "stpcpy": "buf_append", "sprintf": "snprintf", "vsprintf": "vsnprintf", "gets": "getline",
    "strtok": "a slice", "atoi": "strtol and its checks", "atol": "strtol and its checks",
    "atoll": "strtoll and its checks", "atof": "strtod and its checks",
    "scanf": "a parser", "alloca": "a bounded array", "system": "posix_spawn",
    "popen": "posix_spawn", "tmpnam": "mkstemp", "mktemp": "mkstemp", "rand": "getrandom",
    "srand": "getrandom", "random": "getrandom", "gmtime": "gmtime_r",
    "localtime": "localtime_r", "ctime": "strftime", "asctime": "strftime",
    "PQescapeString": "a parameter", "PQescapeLiteral": "a parameter",
}
# The plugin is a guest on the broker's only thread: it never ends the process and never waits.
_BANNED_IN_PLUGIN = {name: "an error code: the broker is not ours" for name in
                     ("exit", "_exit", "quick_exit", "abort", "raise")}
_BANNED_IN_PLUGIN |= {name: "a later TICK: nothing may wait here" for name in
                      ("sleep", "usleep", "nanosleep", "clock_nanosleep", "poll", "ppoll",
                       "select", "getaddrinfo", "gethostbyname", "pthread_create",
                       "pthread_mutex_lock", "fsync", "fork")}


def check_banned(path, text):
    banned = dict(_BANNED)
    if path.startswith("broker-plugin/"):
        banned |= _BANNED_IN_PLUGIN
    names = "|".join(map(re.escape, banned))
    code = code_only(text)
    for match in re.finditer(rf"(?<![\w.>])({names})\s*\(", code):
        yield _line_of(code, match.start()), f"{match[1]}() is banned; use {banned[match[1]]}"


_SQL_WORDS = re.compile(r"\b(SELECT|INSERT INTO|UPDATE|DELETE FROM|WHERE|VALUES|CALL)\b")
_CONVERSION = re.compile(r"%[-+ #0]*[\d*]*(?:\.[\d*]+)?(?:hh|h|ll|l|j|z|t)?[sdiuxXcp]|%\"")


def check_sql(path, text):
    """SQL gets its values as parameters; a statement is never put together from strings."""
    code = without_comments(text)
    literals = r'"(?:\\.|[^"\\\n])*"'
    for match in re.finditer(rf"{literals}(?:\s*(?:[A-Z][A-Z0-9_]*\s*)?{literals})*", code):
        if _SQL_WORDS.search(match.group()) and _CONVERSION.search(match.group()):
            yield _line_of(code, match.start()), "SQL is built from a format; pass parameters"


_COMPARED = re.compile(r"\b(memcmp|strn?cmp|slice_equal)\s*\(([^;{]*)")
_SECRET = (r"(?:(?:secret|password|passphrase|signature|link_key|operator_key)\w*|"
           r"\bh?mac\b)")
# A variable that is given one, or a slice of one, is a secret by another name.
_RENAMED = re.compile(rf"\b(\w+)\s*=\s*(?:slice_\w+\s*\(\s*)?[\w.>&*-]*{_SECRET}",
                      re.IGNORECASE)


def _secrets_in(function):
    names = "|".join(sorted({match[1] for match in _RENAMED.finditer(function)}))
    return re.compile(rf"{_SECRET}|(?<!->)(?<!\.)\b(?:{names})\b" if names else _SECRET,
                      re.IGNORECASE)


def check_secrets_compared(path, text):
    """How long a comparison takes must not tell how much of a secret was guessed."""
    if path.startswith("tests/"):
        return
    code = code_only(text)
    begin = 0
    for function in re.split(r"(?<=\n\})", code):
        secret = _secrets_in(function)
        for match in _COMPARED.finditer(function):
            if secret.search(match[2]):
                yield (_line_of(code, begin + match.start()),
                       f"{match[1]}() of a secret; use CRYPTO_memcmp")
        begin += len(function)


def check_array_parameters(path, text):
    """Arrays go to PostgreSQL in binary, and it takes them for no other type than they are."""
    others = r"\$\d+::(?!bigint\b|text\b|uuid\b)[a-z ]+\[\]"
    for match in re.finditer(others, without_comments(text)):
        yield (_line_of(text, match.start()),
               f"{match.group()}: pass bigint[], text[] or uuid[], and cast that")


def check_function_length(path, text):
    """A function is what opens with `{` and closes with `}` in the first column."""
    opened = None
    for number, line in enumerate(code_only(text).splitlines(), 1):
        if line.startswith("{"):
            opened = number
        elif line.startswith("}") and opened is not None:
            if number - opened - 1 > FUNCTION_MAX_LINES:
                yield opened, (f"a function of {number - opened - 1} lines; "
                               f"at most {FUNCTION_MAX_LINES}")
            opened = None
