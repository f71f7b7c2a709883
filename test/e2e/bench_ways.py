"""What both benches need: nginx as the local server, ssh and sshd, and an end for all of it."""
import os
import shutil
import subprocess
import sys
from pathlib import Path

from procs import Proc

NGINX = """
daemon off; worker_processes 1; pid %(dir)s/nginx.pid; error_log %(dir)s/error.log;
events { worker_connections 1024; }
http {
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000000;
  client_max_body_size 0; client_body_temp_path %(dir)s; proxy_temp_path %(dir)s;
  fastcgi_temp_path %(dir)s; scgi_temp_path %(dir)s; uwsgi_temp_path %(dir)s;
  server {
    listen %(listen)s; root %(dir)s/www;
    %(more)s
  }
}
"""


def nginx_argv(folder, listen, more=""):
    """Its pages are those in `folder`/www."""
    config = folder / "nginx.conf"
    config.write_text(NGINX % {"dir": folder, "listen": listen, "more": more})
    return ["nginx", "-p", folder, "-c", config, "-e", folder / "error.log"]


def ssh_argvs(folder, server, forwarded, local):
    """sshd, and ssh -R, with keys for this run alone. Addresses are pairs of host and port."""
    for key in ("host", "user"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / key],
                       check=True)
    (folder / "sshd_config").write_text(
        "ListenAddress %s:%d\nHostKey %s\nAuthorizedKeysFile %s\nStrictModes no\n"
        "PidFile none\nUsePAM no\nPermitRootLogin yes\n"
        % (*server, folder / "host", folder / "user.pub"))
    if os.getuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)
    sshd = [shutil.which("sshd") or "/usr/sbin/sshd", "-D", "-e", "-f", folder / "sshd_config"]
    return sshd, [
        "ssh", "-N", "-T", "-F", "none", "-i", folder / "user", "-p", str(server[1]),
        "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
        "-o", "BatchMode=yes", "-o", "ExitOnForwardFailure=yes",
        "-R", "%s:%d:%s:%d" % (*forwarded, *local), server[0]]


def stop_all():
    """The last first. One that has to be killed (ssh, now and then) keeps no other running."""
    for process in reversed(Proc.started):
        try:
            process.stop()
        except AssertionError as error:
            print(error, file=sys.stderr)
