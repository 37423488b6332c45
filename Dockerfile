# One image for the web, the worker, beat and the migration.
FROM python:3.13-slim AS packages
WORKDIR /app
COPY requirements.txt requirements/uv.txt ./
RUN pip install --no-cache-dir --require-hashes -r uv.txt \
    && python -m venv /packages \
    && uv pip sync --python /packages/bin/python --require-hashes --compile-bytecode requirements.txt

FROM python:3.13-slim
ENV PATH=/packages/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    DJANGO_SETTINGS_MODULE=loyalty.settings
WORKDIR /app
COPY --from=packages /packages /packages
COPY . .
# Compiling and collecting need no secret and no server; what runs later is production, and writes nothing here.
RUN python -m loyalty.languages && python manage.py collectstatic --noinput \
    && python -m compileall -q loyalty orders credits points \
    && useradd --system --no-create-home --uid 10001 loyalty && install -d -o 10001 /var/lib/beat
ENV LOYALTY_ENV=production
# A number, so that Kubernetes can see that it is nobody's above.
USER 10001
EXPOSE 8000
CMD ["gunicorn", "loyalty.wsgi", "--bind", "0.0.0.0:8000", "--worker-tmp-dir", "/dev/shm"]
# Said by `./run release`, last, so that another commit makes none of the layers above anew.
ARG VERSION=unreleased
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Loyalty Back-Office" \
      org.opencontainers.image.description="Gives back what a cancelled order used: store credits and member points." \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION"
