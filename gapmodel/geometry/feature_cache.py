"""Features of frozen encoders on disk, found by what went in: the weights, the preprocessing and the ordered pictures."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Float32, Int8, UInt8
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor, nn

from gapdata.errors import ConfigError, DatasetError
from gapdata.shards.storage import open_storage, write_file

Array = np.ndarray

CARD = "encoder.json"


@dataclass(frozen=True, kw_only=True, slots=True)
class EncoderIdentity:
    """What features depend on besides the pictures."""

    name: str
    weights: str  # weights_digest of the network
    preprocessing: Mapping[str, Any]  # of JSON's types

    def card(self) -> dict[str, Any]:
        """The identity in JSON's types, as the cache stores it."""
        plain: dict[str, Any] = json.loads(json.dumps(asdict(self), sort_keys=True))
        return plain

    def digest(self) -> str:
        """SHA-256 of all of it, in hexadecimal."""
        return hashlib.sha256(json.dumps(self.card(), sort_keys=True).encode()).hexdigest()


def weights_digest(network: nn.Module) -> str:
    """SHA-256 of the names, types, shapes and values of a network's state."""
    digest = hashlib.sha256()
    for name, tensor in sorted(network.state_dict().items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(_bytes_of(tensor))
    return digest.hexdigest()


class FeatureCache:
    """A folder or fsspec URL of features of one encoder, a file for each ordered set of pictures.

    storage: `bf16`, or `int8` with a scale for each picture, level and channel. Files appear whole or not at
    all. Raises ConfigError when the folder holds features of another encoder, of other weights or preprocessing.
    """

    def __init__(self, url: str, identity: EncoderIdentity, *, storage: str = "bf16") -> None:
        if storage not in ("bf16", "int8"):
            raise ConfigError(f"feature cache: storage is bf16 or int8, found {storage!r}")
        self.url, self.identity, self.storage = url, identity, storage
        self._storage = open_storage(url)
        self._digest = identity.digest()
        self._check_card()

    @classmethod
    def existing(cls, url: str) -> FeatureCache:
        """The cache that a folder or URL holds, of whichever encoder. Raises ConfigError when there is none."""
        try:
            card = json.loads(open_storage(url).read(CARD))
            return cls(url, EncoderIdentity(**card))
        except FileNotFoundError as error:
            raise ConfigError(
                f"{url}: {CARD}: not found; fill a feature cache there first"
            ) from error
        except (ValueError, TypeError) as error:
            raise DatasetError(f"{url}: {CARD}: damaged: {error}; delete the cache") from error

    def key(self, images: UInt8[Tensor, "V H W 3"]) -> str:
        """SHA-256 of the identity and the pictures, in order: what they are filed under."""
        digest = hashlib.sha256(f"{self._digest} {tuple(images.shape)}\n".encode())
        digest.update(_bytes_of(images))
        return digest.hexdigest()

    def write(self, images: UInt8[Tensor, "V H W 3"], features: Float[Tensor, "V M h w C"]) -> None:
        """Stores the pictures' features. Raises DatasetError for features that are not finite, ConfigError when the disk is full."""
        key = self.key(images)
        self._check_count(key, images, features)
        if not torch.isfinite(features).all():
            raise DatasetError(
                f"{self._where(key)}: features are not finite; check the encoder's weights"
            )
        tensors = _packed(features) if self.storage == "int8" else {"features": features.bfloat16()}
        tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
        write_file(self.url, _name(key), save(tensors, {"key": key}))

    def read(self, images: UInt8[Tensor, "V H W 3"]) -> Float32[Tensor, "V M h w C"] | None:
        """The pictures' features, or None when they were never stored. Raises DatasetError for a damaged or foreign file."""
        key = self.key(images)
        where = self._where(key)
        try:
            data = self._storage.read(_name(key))
        except FileNotFoundError:
            return None
        try:
            tensors, header = load(data), _header(data)
        except (SafetensorError, ValueError) as error:
            raise DatasetError(f"{where}: damaged: {error}; delete the file") from error
        if header.get("key") != key:
            raise DatasetError(
                f"{where}: holds features of another encoder or other pictures; delete the file"
            )
        features = (
            _unpacked(tensors["values"], tensors["scale"])
            if "scale" in tensors
            else tensors["features"].float()
        )
        self._check_count(key, images, features)
        return features

    def lookup(self, images: UInt8[Array, "V H W 3"]) -> Float32[Array, "V M h w C"] | None:
        """`read` for arrays, as a loader asks for a teacher's features."""
        found = self.read(torch.from_numpy(images))
        return None if found is None else found.numpy()

    def fill(
        self, images: UInt8[Array, "V H W 3"], encode: Callable[[Tensor], Tensor]
    ) -> Float32[Array, "V M h w C"]:
        """`lookup`, but what is missing is computed with `encode` and stored first."""
        found = self.lookup(images)
        if found is not None:
            return found
        pictures = torch.from_numpy(images)
        self.write(pictures, encode(pictures))
        stored = self.lookup(images)
        assert stored is not None
        return stored

    def _where(self, key: str) -> str:
        return f"{self.url}: {_name(key)}"

    def _check_count(self, key: str, images: Tensor, features: Tensor) -> None:
        if len(features) != len(images):
            raise DatasetError(
                f"{self._where(key)}: expected {len(images)} pictures, found {len(features)}"
            )

    def _check_card(self) -> None:
        try:
            found = json.loads(self._storage.read(CARD))
        except FileNotFoundError:
            card = json.dumps(self.identity.card(), sort_keys=True, indent=1)
            write_file(self.url, CARD, card.encode())
            return
        except ValueError as error:
            raise DatasetError(f"{self.url}: {CARD}: damaged: {error}; delete the cache") from error
        for field, expected in self.identity.card().items():
            if found.get(field) != expected:
                raise ConfigError(
                    f"{self.url}: {CARD}: {field}: expected {_short(expected)}, found {_short(found.get(field))}; "
                    "these features are of another encoder: give another folder or delete this one"
                )


def _name(key: str) -> str:
    return f"{key[:2]}/{key}.safetensors"


def _short(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True)
    return text if len(text) < 200 else f"{text[:200]}..."


def _bytes_of(tensor: Tensor) -> memoryview:
    return tensor.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy().data


def _header(data: bytes) -> Mapping[str, str]:
    length = int.from_bytes(data[:8], "little")
    metadata: Mapping[str, str] = json.loads(data[8 : 8 + length]).get("__metadata__", {})
    return metadata


def _packed(features: Float[Tensor, "V M h w C"]) -> dict[str, Tensor]:
    features = features.float()
    scale = features.abs().amax(dim=(2, 3)) / 127
    divisor = torch.where(scale > 0, scale, 1.0)[:, :, None, None]
    return {"values": (features / divisor).round().to(torch.int8), "scale": scale}


def _unpacked(
    values: Int8[Tensor, "V M h w C"], scale: Float32[Tensor, "V M C"]
) -> Float32[Tensor, "V M h w C"]:
    return values.float() * scale[:, :, None, None]
