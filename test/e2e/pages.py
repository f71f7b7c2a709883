"""What the file servers serve: nginx with most of what its modules do to a response."""
import gzip
import os

from origin import pattern

INDEX = """<!doctype html>
<title>adit</title>
<h1>A page on the local network</h1>
"""

NGINX_CONF = """
daemon off; master_process off; worker_processes 1;
pid %(folder)s/nginx.pid; error_log %(folder)s/error.log;
events { worker_connections 256; }
http {
  access_log off;
  types { text/html html; text/css css; application/javascript js; image/png png; }
  default_type application/octet-stream;
  client_body_temp_path %(folder)s/body; client_max_body_size 64m;
  fastcgi_temp_path %(folder)s/tmp; proxy_temp_path %(folder)s/tmp;
  scgi_temp_path %(folder)s/tmp; uwsgi_temp_path %(folder)s/tmp;
  gzip_types text/css application/javascript; gzip_min_length 100;
  gzip_proxied any;
  large_client_header_buffers 4 16k;
  server {
    listen 127.0.0.1:%(port)d; root %(pages)s; index index.html;
    location / { add_header X-Where root always; }
    location = /204 { return 204; }
    location = /moved { return 301 /index.html; }
    location = /away { return 302 https://elsewhere.example/; }
    location = /teapot { return 418 "short and stout\\n"; }
    location = /empty { return 200; }
    location = /cookies {
      add_header Set-Cookie "a=1; Path=/"; add_header Set-Cookie "b=2, still b; HttpOnly";
      add_header Vary "Accept"; add_header Vary "Cookie"; add_header X-Empty "";
      return 200 "cookies\\n";
    }
    location = /args { return 200 "$request_method $request_uri $host $http_cookie\\n"; }
    location = /agent { return 200 "$http_user_agent|$http_accept|$http_x_test|$content_type\\n"; }
    location = /etag { add_header X-Etag yes; etag on; try_files /index.html =404; }
    location = /gzip.css { gzip on; try_files /style.css =404; }
    location = /ready.gz { gzip_static on; try_files /script.js =404; }
    location /private/ { return 401 "who are you\\n"; }
    location /put/ { alias %(folder)s/put/; dav_methods PUT DELETE MKCOL; create_full_put_path on; }
    location = /close { keepalive_timeout 0; return 200 "closing\\n"; }
    error_page 404 /404.html;
    location = /404.html { internal; }
  }
}
"""


def write_pages(folder):
    files = {
        "index.html": INDEX.encode(), "404.html": b"<h1>not here</h1>\n",
        "style.css": b"body { color: black }\n" * 200, "script.js": b"let x = 1;\n" * 50,
        "image.png": pattern(50000), "big.bin": pattern(3000000), "nothing.html": b"",
        "1k.bin": pattern(1024), "with space.html": b"a name with a space\n",
        "sub/index.html": b"below\n",
    }
    for name, data in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(data)
        os.utime(folder / name, (1700000000, 1700000000))
    (folder / "script.js.gz").write_bytes(gzip.compress(files["script.js"], mtime=0))
