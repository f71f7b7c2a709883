"""Fields of heads: how many, which of them a visitor may set, and what the gateway adds."""
import pytest

from pyagent import PyAgent
from pygateway import Aborted
from test_gateway import described, values

FIELDS_MAX = 100  # include/limits.h
HEADERS_MAX = 116


@pytest.fixture
def foreign(make_gateway, background):
    """A visitor of an agent in Python: what reaches it, and what it answers."""
    gateway = make_gateway()
    agent = PyAgent(background, gateway, gateway.token("one"))
    visitor = gateway.visit("one")
    yield agent, visitor
    visitor.close()
    agent.close()


def some_fields(count):
    return [("X-%d" % n, "") for n in range(count)]


# ---- how many ----

def test_number_of_fields_of_a_request(tunnel):
    """Host is one of them."""
    with tunnel.visit() as visitor:
        told = described(visitor.request("GET", "/describe", some_fields(FIELDS_MAX - 1)))
        assert len([n for n, _ in told["fields"] if n.startswith("x-")]) >= FIELDS_MAX - 1
        assert visitor.request("GET", "/", some_fields(FIELDS_MAX)).status == 431
        assert visitor.closed()
    assert tunnel.request("GET", "/").status == 200


def test_number_of_fields_of_a_response(tunnel, origin):
    async def many(request):
        return await request.reply(200, some_fields(int(request.query)))
    origin.on("/many", many)
    with tunnel.visit() as visitor:
        response = visitor.request("GET", "/many?%d" % (FIELDS_MAX - 1))
        assert response.status == 200 and response.get("x-%d" % (FIELDS_MAX - 2)) is not None
        assert visitor.request("GET", "/many?%d" % FIELDS_MAX).status == 502
        assert visitor.request("GET", "/many?1").status == 200


def test_number_of_fields_of_an_agents_message(foreign):
    agent, visitor = foreign
    for count, status in ((HEADERS_MAX, 200), (HEADERS_MAX + 1, 502), (1, 200)):
        visitor.begin("GET", "/")
        agent.respond(agent.request()["id"], headers=[(b"x-%d" % n, b"") for n in range(count)])
        response = visitor.response()
        assert response.status == status, count


def test_number_of_fields_of_a_clouds_message(py_session):
    session = py_session("tlv")
    for count, error in ((HEADERS_MAX - 1, None), (HEADERS_MAX, 431), (1, None)):
        fields = [("host", "one")] + some_fields(count)
        try:
            reply = session.gateway.run(session.fetch("GET", "/", fields))
        except Aborted as aborted:
            assert aborted.code == error
        else:
            assert error is None and reply.status == 200
