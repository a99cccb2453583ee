# A CUDA box: the wheels bring all of CUDA that is needed, the driver comes from the host
# (docker run --gpus all …, with the NVIDIA container toolkit).
FROM python:3.12-slim

ENV NVIDIA_VISIBLE_DEVICES=all \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility \
    NUMBA_CACHE_DIR=/tmp/gpuseg-numba \
    CUPY_CACHE_DIR=/tmp/gpuseg-cupy

WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY gpuseg gpuseg
# Versions: the ranges in pyproject.toml of this folder.
# hadolint ignore=DL3013
RUN pip install --no-cache-dir '.[cuda13]' && useradd --uid 1000 --create-home gpuseg

USER 1000
WORKDIR /data
ENTRYPOINT ["gpuseg"]
CMD ["--help"]
