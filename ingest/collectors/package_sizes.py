"""What fills deployment packages: of every function and its newest versions, of their layers, and of images.

Only what changed is looked at, once: code and layers are known by digests. The directory of a zip is read from its end,
at the address that AWS gives for ten minutes. Where there is much to read, a run reads until its time is up, and the
next one goes on at once.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from ingest.collector import Function, Harvest, Permission, Scope
from ingest.function_config import LATEST, moment
from observability.aws import archives
from observability.aws.archives import TRANSIENT, Archive, Status
from observability.aws.problems import AwsError, Trouble
from observability.aws.sessions import Region
from observability.inventory.contents import OPT, TASK, Contents, Measured, MeasuredLayer, describe, digest

TIER = "sizes"
VERSIONS = 5
"""So many of a function's published versions are read, the newest: its history before it was connected."""

AGAIN = timedelta(hours=3)
"""What could not be read, and what lacks a layer for that, is tried again after this."""

MOST_FAILURES = 2
"""After so many archives that could not be reached a run stops: the next ones would wait in vain too."""

MOST_LAYERS = 2_000
"""So many versions of layers are remembered."""

NOT_TO_BE_HAD = {Trouble.NOT_FOUND, Trouble.REFUSED}

Answer = Mapping[str, Any]
Known = Mapping[str, Sequence[Any]]


@dataclass(frozen=True, slots=True)
class Job:
    """One package to read: a function, or one published version of it. ``digest`` is what the listing says."""

    function: Function
    version: str
    digest: str

    @property
    def key(self) -> str:
        return f"{self.function.name}:{self.version}"


@dataclass(frozen=True, slots=True)
class Piece:
    """What AWS and its storage said of one package; ``answer`` is None when AWS does not have it any more.

    What an archive holds is described at once: the files of hundreds would fill the memory.
    """

    answer: Answer | None
    contents: Contents | None = None
    image_bytes: int | None = None
    problem: str = ""

    @property
    def layers(self) -> list[str]:
        """The ARNs of its layers."""
        return [layer["Arn"] for layer in self.answer["Configuration"].get("Layers") or ()] if self.answer else []


@dataclass(frozen=True, slots=True)
class LayerPiece:
    """The same of one version of a layer."""

    zipped_bytes: int | None
    contents: Contents | None
    problem: str = ""

    @property
    def bytes(self) -> int | None:
        """Unzipped; the least that it can be where there is a problem."""
        return self.contents.bytes if self.contents else None


@dataclass(slots=True)
class Raw:
    """What a run read, by the keys of jobs and the ARNs of layers. ``left`` says that there is more to read."""

    pieces: dict[str, Piece] = field(default_factory=dict)
    layers: dict[str, LayerPiece] = field(default_factory=dict)
    lacking: set[str] = field(default_factory=set)
    left: bool = False


def _permission(action: str, why: str, without: str, resource: str, probe: tuple[str, str, Answer]) -> Permission:
    return Permission(action, why, without, probe, resource=resource, tier=TIER)


class PackageSizes:
    """Packages, every ten minutes as far as they changed; sooner when a listing found a deployment."""

    kind = "package_sizes"
    title = "Package sizes"
    every = timedelta(minutes=10)
    permissions: tuple[Permission, ...] = (
        _permission(
            "lambda:GetFunction",
            "Finds the deployment package, whose table of contents tells what fills it.",
            "Only the size of the zip is known, not what is in it and not how large it is unpacked.",
            "arn:${AWS::Partition}:lambda:*:${AWS::AccountId}:function:*",
            ("lambda", "get_function", {"FunctionName": "nightjar-probe"}),
        ),
        _permission(
            "lambda:GetLayerVersion",
            "The same for layers, also those that other accounts publish.",
            "What layers add to the 250 MB that a function may have is not known.",
            "arn:${AWS::Partition}:lambda:*:*:layer:*",
            ("lambda", "get_layer_version", {"LayerName": "nightjar-probe", "VersionNumber": 1}),
        ),
        _permission(
            "ecr:DescribeImages",
            "Tells how large the container images of functions are.",
            "The size of functions that are images is not known.",
            "arn:${AWS::Partition}:ecr:*:${AWS::AccountId}:repository/*",
            ("ecr", "describe_images", {"repositoryName": "nightjar-probe"}),
        ),
    )

    def fetch(self, aws: Region, scope: Scope) -> Raw:
        raw, failures = Raw(), 0
        for job in due(scope):
            try:
                piece = None if scope.time_is_up() else _read(aws, scope, job, raw)
            except AwsError as error:
                _end(error, job, raw)
                break
            if piece is None:
                raw.left = True
                break
            raw.pieces[job.key] = piece
            failures += piece.problem in TRANSIENT
            if failures >= MOST_FAILURES:
                break
        return raw

    def transform(self, raw: Raw, scope: Scope) -> Harvest:
        minute = int(scope.now.timestamp()) // 60
        layers = _known(scope, "layers") | {
            arn: [piece.bytes, minute, _is_final(piece.problem), not piece.problem] for arn, piece in raw.layers.items()
        }
        wanted = {job.key: job for job in jobs(scope)}
        packages = [
            (wanted[key].function.resource_id, _measured(wanted[key], piece, layers))
            for key, piece in raw.pieces.items()
            if piece.answer is not None
        ]
        read = {
            key: [wanted[key].digest[:12], minute, _is_final(piece.problem) and _are_final(piece.layers, layers)]
            for key, piece in raw.pieces.items()
        }
        before = {key: known for key, known in _known(scope, "packages").items() if key in wanted}
        newest = sorted(layers.items(), key=lambda each: -int(each[1][1]))[:MOST_LAYERS]
        return Harvest(
            packages=packages,
            layers=[_measured_layer(arn, piece) for arn, piece in raw.layers.items()],
            cursor={"packages": before | read, "layers": dict(newest)},
            lacking=tuple(sorted(raw.lacking)),
            more=raw.left,
        )


def jobs(scope: Scope) -> Iterator[Job]:
    """Everything that there is to read here: what runs as ``$LATEST`` first, then versions with other code."""
    functions = [each for _, each in sorted(scope.functions.items()) if each.config.get("code_sha256")]
    for function in functions:
        layers = [layer["arn"] for layer in function.config.get("layers", ())]
        yield Job(function, LATEST, digest(function.config["code_sha256"], layers))
    for function in functions:
        seen = {function.config["code_sha256"]}
        for version in function.config.get("versions", ())[:VERSIONS]:
            if version["code_sha256"] not in seen:
                seen.add(version["code_sha256"])
                yield Job(function, version["version"], digest(version["code_sha256"], ()))


def due(scope: Scope) -> list[Job]:
    """What is new or changed, and what could not be read some time ago; that comes last."""
    known, rested = _known(scope, "packages"), int((scope.now - AGAIN).timestamp()) // 60
    fresh = [job for job in jobs(scope) if known.get(job.key, [""])[0] != job.digest[:12]]
    failed = [
        job
        for job in jobs(scope)
        if (told := known.get(job.key)) and told[0] == job.digest[:12] and not told[2] and told[1] <= rested
    ]
    return [*fresh, *failed]


def _known(scope: Scope, what: str) -> dict[str, Sequence[Any]]:
    """By key or ARN: digest or bytes, the minute in which it was read, whether that was the last word.

    Of layers also whether the bytes are exact.
    """
    return dict(scope.cursor.get(what, {}))


def _end(error: AwsError, job: Job, raw: Raw) -> None:
    """A call that ended the run: what was denied is said, what passes is tried again; else nothing was to be had.

    A denied function comes last from now on: the next run finds out whether it was the only one.
    """
    if error.trouble is Trouble.ACCESS_DENIED:
        raw.lacking.add(error.action)
        raw.pieces[job.key] = Piece(None, problem=Status.DENIED)
    elif not error.transient or not raw.pieces:
        raise error


def _read(aws: Region, scope: Scope, job: Job, raw: Raw) -> Piece | None:
    """One package, with those of its layers that are not known yet; None when time ran out. Raises ``AwsError``."""
    qualifier = {} if job.version == LATEST else {"Qualifier": job.version}
    try:
        answer = aws.call("lambda", "get_function", FunctionName=job.function.name, **qualifier)
    except AwsError as error:
        if error.trouble in NOT_TO_BE_HAD:
            return Piece(None)
        raise
    if answer["Configuration"].get("PackageType") == "Image":
        return _image(aws, scope, answer, raw)
    for arn in Piece(answer).layers:
        if arn not in raw.layers and _is_unknown(arn, scope):
            if scope.time_is_up():
                return None
            raw.layers[arn] = _layer(aws, scope, arn, raw)
    code = answer.get("Code") or {}
    if "Location" not in code:
        return Piece(answer, problem=Status.MISSING)
    archive = archives.read(code["Location"])
    return Piece(answer, _contents(archive, TASK, answer["Configuration"]), problem=_problem(archive))


def _is_unknown(arn: str, scope: Scope) -> bool:
    """A version of a layer never changes; only what could not be read is looked at again."""
    told = scope.cursor.get("layers", {}).get(arn)
    return told is None or (not told[2] and told[1] <= int((scope.now - AGAIN).timestamp()) // 60)


def _layer(aws: Region, scope: Scope, arn: str, raw: Raw) -> LayerPiece:
    """A layer of another account may be kept from us by its owner, which is nothing that the customer can mend."""
    try:
        content = aws.call("lambda", "get_layer_version_by_arn", Arn=arn)["Content"]
    except AwsError as error:
        return LayerPiece(None, None, _refused(error, arn.split(":")[4], scope, raw))
    archive = archives.read(content["Location"])
    return LayerPiece(content["CodeSize"], _contents(archive, OPT, {}), _problem(archive))


def _image(aws: Region, scope: Scope, answer: Answer, raw: Raw) -> Piece:
    """What the registry holds, compressed, of the very image that runs."""
    registry, _, image = answer["Code"].get("ResolvedImageUri", "").partition("/")
    repository, _, checksum = image.partition("@")
    if not checksum:
        return Piece(answer, problem=Status.MISSING)
    owner = registry.split(".")[0]
    try:
        told = aws.call(
            "ecr", "describe_images",
            registryId=owner, repositoryName=repository, imageIds=[{"imageDigest": checksum}],
        )  # fmt: skip
    except AwsError as error:
        return Piece(answer, problem=_refused(error, owner, scope, raw))
    return Piece(answer, image_bytes=sum(each["imageSizeInBytes"] for each in told["imageDetails"]))


def _refused(error: AwsError, owner: str, scope: Scope, raw: Raw) -> Status:
    """Why something beside the function could not be read. Raises what may pass, or what nobody expects."""
    if error.trouble in NOT_TO_BE_HAD:
        return Status.MISSING
    if error.trouble is not Trouble.ACCESS_DENIED:
        raise error
    if owner == scope.account:
        raw.lacking.add(error.action)
    return Status.DENIED


def _problem(archive: Archive) -> str:
    return "" if archive.status is Status.EXACT else archive.status.value


def _is_final(problem: str) -> bool:
    """Whether reading it again would tell the same; permissions and networks can be mended."""
    return problem not in (*TRANSIENT, Status.DENIED)


def _are_final(arns: Sequence[str], layers: Known) -> bool:
    return all(layers[arn][2] for arn in arns if arn in layers)


def _contents(archive: Archive, root: str, configuration: Answer) -> Contents | None:
    if not archive.readable:
        return None
    return describe(
        archive.entries,
        root=root,
        runtime=configuration.get("Runtime", ""),
        architecture=(configuration.get("Architectures") or ["x86_64"])[0],
        handler=configuration.get("Handler", ""),
    )


def _measured(job: Job, piece: Piece, layers: Known) -> Measured:
    """The package as AWS has it now, which may be newer than what the listing told of."""
    configuration: Answer = (piece.answer or {})["Configuration"]
    told = [layers.get(arn, (None, 0, False, False)) for arn in piece.layers]
    is_image = configuration.get("PackageType") == "Image"
    contents = piece.contents
    exact = (piece.image_bytes is not None) if is_image else not piece.problem
    return Measured(
        digest=digest(configuration["CodeSha256"], piece.layers),
        source="image" if is_image else "archive",
        deployed_at=datetime.fromisoformat(moment(configuration["LastModified"])),
        version=job.version,
        zipped_bytes=None if is_image else configuration["CodeSize"],
        code_bytes=contents.bytes if contents else None,
        layers_bytes=None if is_image else sum(layer[0] or 0 for layer in told),
        image_bytes=piece.image_bytes,
        files=contents.files if contents else None,
        complete=exact and all(layer[3] for layer in told),
        folders=contents.folders if contents else (),
        dependencies=contents.dependencies if contents else (),
        waste=contents.waste if contents else {},
        layers=piece.layers,
        problem=piece.problem,
    )


def _measured_layer(arn: str, piece: LayerPiece) -> MeasuredLayer:
    contents = piece.contents
    return MeasuredLayer(
        arn=arn,
        zipped_bytes=piece.zipped_bytes,
        unzipped_bytes=contents.bytes if contents else None,
        files=contents.files if contents else None,
        folders=contents.folders if contents else (),
        dependencies=contents.dependencies if contents else (),
        problem=piece.problem,
    )
