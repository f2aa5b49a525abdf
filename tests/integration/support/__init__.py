# SPDX-License-Identifier: MIT
"""What the integration tests stand on: a real running system and clients that others wrote.

Rule: nothing here knows what the right answer is; it starts, asks, waits and collects. A wait
always has a deadline and raises Timeout with what did arrive. Tests import from the package:

    from support import Account, Device, Problem, Refused, System, Timeout, wait_until

Fixtures (tests/integration/conftest.py)
    banter        System shared by the whole session; devices opened in a test are closed after it
    fresh_banter  System of this test alone, for tests that destroy things; same API
    make_system   function(**environment) -> System of this test alone with other bridge settings,
                  e.g. make_system(BANTER_ACCESS_TOKEN_TTL=2). Passwords are hashed cheaply unless
                  BANTER_ARGON2_MEMORY_KIB and BANTER_ARGON2_PASSES say otherwise

System (support/system.py)
    signup(name="user") -> Account         unique handle `name-xxxxxx`; password in account.password
    signup_many(count, name="user")        list of Accounts
    device(account, name="phone", **options) -> Device, connected and ready; see Device
    request(method, path, body=None, account=None, token=None, headers=None) -> Response
                                           body: dict (sent as JSON), bytes or None
    stream(path, account=None, headers=None)  iterator of the answer's lines (NDJSON), unbuffered
    control(account, *commands) -> list of responses (POST /v1/control)
    data_of(account, command) -> dict      one command that must succeed: its "data"
    group(owner, members, title="Team") -> conversation id
    history(account, conversation, **query) -> list of entries of one page
    psql(sql) -> list of rows (lists of strings)
    http, mqtt_host, mqtt_port, ws, postgres_dsn, data, pid(name), address()
    kill(name)           SIGKILL; the supervisor starts it again
    stop(name), start(name)       stopped until started again (./banter stop|start NAME)
    down(), configure(**environment), up()         the whole system, with other bridge settings
    freeze(name), thaw(name)      SIGSTOP, SIGCONT
    wait_restarted(name, old_pid), wait_ready()
    forgiven                      set of CRASH_MARKS that a test brought about itself
    log(name) -> text of DATA/log/name.log;  name is "broker", "bridge" or "postgres"

Account: handle, password, access_token, refresh_token; login() gets a new pair of tokens,
another_login(device=None, system=None) is one more login of the user, as an Account.

Device (support/device.py): a Paho client of one account
    send(to, text="…", id=None, **fields) -> draft id     `to`: conversation id or "@handle"
    receipt(id, timeout=10) -> dict                       waits for me/receipt of this draft
    say(to, text, …) -> dict                              send + receipt; fails on a refusal
    publish(topic, payload, qos=1, retain=False, properties=None) -> mid
    puback(mid, timeout=10) -> MQTT 5 reason code as int (0, 16, 0x87 …); 0 with MQTT 3.1.1
    subscribe(filter, qos=0) -> granted code (0..2, >= 128 refused)
    entries(conversation) -> list of entries received so far, in order of arrival
    wait_entries(conversation, count, timeout=10) -> the same, at least `count` of them
    wait_entry(conversation, timeout=10, **fields) -> first entry with these fields (seq=…)
    receipts() -> list;  events() -> list of me/event
    messages -> list of Message(topic, payload, at, properties): all received, payload as bytes
    wait_message(predicate, timeout=10) -> Message
    control(*commands) -> list of responses (through $CONTROL/chat/v1)
    sync(cursors=None, limit=None) -> list of conversations, pages of me/sync put together
    quiet(seconds=0.5)   fails if anything arrives meanwhile
    stop_reading()       it goes on sending
    disconnect(), drop() (no DISCONNECT packet), reconnect(), connected, wait_closed(timeout=10)
    response_topics: set of a test's own MQTT 5 Response Topics, which the contract does not name
    options: protocol=MQTTv5|MQTTv311, transport="tcp"|"websockets", token=None, client_id=None,
             username=None, will=(topic, payload, qos, retain)|None, keepalive=30,
             properties=None (of CONNECT), tls=None (file with the CA), wait_ready=True,
             connect=True

Several nodes on one database and one Redis (support/cluster.py)
    Cluster(names=("a", "b"), per_node={"b": {…}}, **settings)   nodes[0], … are Systems
    add(name, **settings), wait_ready(), metric(node, name), redis.kill(), .start(), .freeze() …
    support/replica.py is a replica of a System's database, support/zookeeper.py a ZooKeeper
    support/lossy.py is a proxy that loses single messages of Redis

When a test ends, a sample of what its devices and HTTP requests got is held against the contract's
schemas (support/contract.py). support/faults.py breaks processes and
single threads, support/health.py reads /readyz and its metrics, support/tokens.py forges tokens,
support/raw_http.py sends what no HTTP library would, support/promise.py holds promised times.

Stock command line clients (support/stock.py)
    mosquitto_pub(system, account, topic, payload, *options) -> CompletedProcess (text)
    MosquittoSub(system, account, *filters, options=())     context manager: lines(), wait_line(…)
"""
from .account import Account
from .cluster import Cluster
from .device import Device, Message, MQTTv5, MQTTv311, Refused
from .http import Problem, Response
from .stock import MosquittoSub, mosquitto_pub
from .system import System
from .waiting import Timeout, wait_until

__all__ = [
    "Account", "Cluster", "Device", "Message", "MosquittoSub", "MQTTv311", "MQTTv5", "Problem",
    "Refused", "Response", "System", "Timeout", "mosquitto_pub", "wait_until",
]
