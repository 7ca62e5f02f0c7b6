# Three stages: the packages that serve, the encoder's export (which alone needs torch), and the
# image that runs, without torch, as a user without rights.

FROM python:3.11-slim-bookworm AS packages
WORKDIR /build
COPY . .
RUN python -m venv /opt/weighbridge \
    && /opt/weighbridge/bin/pip install --no-cache-dir -c requirements.lock '.[postgres,telemetry]'

FROM python:3.11-slim-bookworm AS encoder
RUN apt-get update && apt-get install -y --no-install-recommends libgomp1
WORKDIR /build
COPY . .
RUN python make/install.py /opt/encoder encoder \
    && KB_HOME=/encoder /opt/encoder/bin/kb models pull all-minilm-l6-v2

FROM python:3.11-slim-bookworm
# libgomp1: the chat model's runtime needs the system's OpenMP
RUN apt-get update \
    && apt-get install -y --no-install-recommends libgomp1 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --no-create-home weighbridge \
    && install -d -o weighbridge -g weighbridge /data
COPY --from=packages /opt/weighbridge /opt/weighbridge
COPY --from=encoder /encoder/weights /usr/share/weighbridge/weights
COPY --chmod=755 make/container.sh /usr/local/bin/weighbridge
COPY corpus /corpus
ENV PATH=/opt/weighbridge/bin:$PATH \
    HOME=/tmp \
    KB_HOME=/data \
    KB_CORPUS=/corpus \
    KB_HOST=0.0.0.0 \
    KB_PORT=8000
USER weighbridge
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=120s --retries=3 \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/livez')"]
CMD ["weighbridge"]
