# The bot as a container image: `docker build -t quizformer .` and see docs/hosting.md.
# Every Debian or Python image with python3, its venv and pip will do as BASE. With a digest
# (python:3.13-slim@sha256:...), each build has the same one.
ARG BASE=docker.io/library/python:3.13-slim

FROM ${BASE} AS packages
# No package is compiled, and each is checked against its hash in requirements.txt.
COPY requirements.txt /
RUN python3 -m venv --without-pip /opt/quizformer \
 && python3 -m pip --python /opt/quizformer/bin/python3 install --no-cache-dir --no-compile \
    --disable-pip-version-check --require-hashes --only-binary :all: -r /requirements.txt
COPY bot /opt/app/bot
COPY data /opt/app/data
# The files can't be compiled later, because the root is read-only and belongs to root.
RUN /opt/quizformer/bin/python3 -m compileall -q -j 0 /opt/quizformer/lib /opt/app/bot

FROM ${BASE}
LABEL org.opencontainers.image.title="Quizformer" \
      org.opencontainers.image.description="A Discord quiz bot for machine-learning interviews" \
      org.opencontainers.image.licenses="MIT AND OFL-1.1"
# An empty named volume gets the owner that the folder has here.
RUN install -d -m 700 -o 10001 -g 10001 /data
COPY --from=packages /opt /opt
ENV PATH=/opt/quizformer/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HOME=/tmp \
    DATABASE_URL=sqlite:////data/quizformer.db \
    HEALTH_PORT=8080
WORKDIR /opt/app
USER 10001:10001
VOLUME /data
# One failed write is told for two minutes; whatever restarts unhealthy containers waits for five.
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=10 \
    CMD python3 -c "import urllib.request as u; \
        u.urlopen('http://127.0.0.1:$HEALTH_PORT/healthz', timeout=4)"
ENTRYPOINT ["python3", "-m", "bot"]
