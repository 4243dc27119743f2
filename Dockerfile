# The service on CPUs, with ONNX Runtime and without TensorFlow. In the root of the project:
#
#   docker build -t fashionai .
#   docker run --rm -p 8000:8000 fashionai --preset fast --processes 2
#
# What follows the image's name are flags of `fashionai serve`. docs/serve.md says more.
ARG BASE=debian:trixie-slim

FROM ${BASE} AS build
RUN apt-get update && apt-get install -y --no-install-recommends python3-venv
RUN python3 -m venv /opt/fashionai
COPY . /src
# The wheel of OpenCV without windows needs no system libraries of a desktop.
RUN /opt/fashionai/bin/pip install --no-cache-dir '/src[serve]' \
    && /opt/fashionai/bin/pip uninstall -y opencv-python \
    && /opt/fashionai/bin/pip install --no-cache-dir opencv-python-headless \
    && /opt/fashionai/bin/pip uninstall -y pip

FROM ${BASE}
RUN apt-get update && apt-get install -y --no-install-recommends python3 && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --home-dir /nonexistent --shell /usr/sbin/nologin fashionai
COPY --from=build /opt/fashionai /opt/fashionai
USER 10001
EXPOSE 8000
# Up to the first picture, and while the service ends, /ready is 503.
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s CMD ["/opt/fashionai/bin/python", "-c", \
    "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/ready', timeout=4)"]
ENTRYPOINT ["/opt/fashionai/bin/fashionai", "serve", "--host", "0.0.0.0"]
