"""Other TLS servers in front of a gateway that has none: openssl, nginx, HAProxy. With `client_ca`
they demand certificates of clients."""
import os
import shutil
import socket
import subprocess
import threading
import time

from procs import Proc, wait_until

KINDS = ["openssl", "nginx", "haproxy"]

NGINX = """
daemon off; master_process off; pid %(folder)s/pid; error_log stderr;
events { worker_connections 64; }
http {
    access_log off;
    client_body_temp_path %(folder)s; proxy_temp_path %(folder)s; fastcgi_temp_path %(folder)s;
    uwsgi_temp_path %(folder)s; scgi_temp_path %(folder)s;
    server {
        listen 127.0.0.1:%(port)d ssl;
        ssl_certificate %(certs)s/server.pem; ssl_certificate_key %(certs)s/server.key;
        ssl_session_cache shared:s:1m;
        %(clients)s
        location / {
            proxy_pass http://127.0.0.1:%(back)d;
            proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection upgrade; proxy_set_header Host $http_host;
        }
    }
}
"""

HAPROXY = """
global
    maxconn 64
defaults
    mode http
    timeout connect 5s
    timeout client 60s
    timeout server 60s
    timeout tunnel 60s
frontend f
    bind 127.0.0.1:%(port)d ssl crt %(folder)s/both.pem %(clients)s
    default_backend b
backend b
    server s 127.0.0.1:%(back)d
"""

CLIENTS = {
    "openssl": "-Verify 3 -verify_return_error -CAfile %s",
    "nginx": "ssl_verify_client on; ssl_verify_depth 3; ssl_client_certificate %s;",
    "haproxy": "ca-file %s verify required",
}


class OpensslFront:
    """`openssl s_server` for each connection, its input and output a connection to the gateway."""

    def __init__(self, certs, port, back, clients):
        self.certs, self.back, self.port, self.children = certs, back, port, []
        self.clients, self.stopping = clients.split(), False
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()
        wait_until(lambda: self.children, "s_server")
        time.sleep(0.2)

    def serve(self):
        while not self.stopping:
            with socket.create_connection(("127.0.0.1", self.back)) as s:
                self.children.append(subprocess.Popen(
                    ["openssl", "s_server", "-quiet", "-accept", "127.0.0.1:%d" % self.port,
                     "-cert",
                     self.certs / "server.pem", "-key", self.certs / "server.key", "-naccept", "1",
                     *self.clients], stdin=s, stdout=s, stderr=subprocess.DEVNULL))
            self.children[-1].wait()

    def kill(self):
        self.stopping = True
        # One may be just starting.
        while self.thread.is_alive():
            self.children[-1].kill()
            self.thread.join(0.1)


def program(kind):
    """Its path, or None."""
    return shutil.which(kind, path=os.environ["PATH"] + ":/usr/sbin")


def start(kind, folder, certs, port, back, client_ca=None):
    """On `port` of 127.0.0.1, in front of a gateway on port `back`. It has to be killed."""
    clients = CLIENTS[kind] % client_ca if client_ca else ""
    if kind == "openssl":
        return OpensslFront(certs, port, back, clients)
    settings = {"folder": folder, "certs": certs, "port": port, "back": back, "clients": clients}
    (folder / "conf").write_text((NGINX if kind == "nginx" else HAPROXY) % settings)
    (folder / "both.pem").write_text((certs / "server.pem").read_text() +
                                     (certs / "server.key").read_text())
    return Proc([program(kind), "-c", folder / "conf", "-p", folder, "-e", "stderr"]
                if kind == "nginx" else [program(kind), "-db", "-f", folder / "conf"])
