"""The example for Kubernetes is what the operator's own schema takes, and its parts agree with one another."""

import copy
import gzip
import hashlib
from pathlib import Path
from typing import Any

import distributed.cli.dask_scheduler
import distributed.cli.dask_worker
import jsonschema
import pytest
import yaml
from dask.utils import parse_bytes

import wsi_area.cli.commands.run
from wsi_area.settings.run_settings import load

CRD = Path(__file__).with_name("daskcluster.crd.yaml.gz")
SHA256 = "2da8d66739b4c98c8aadb2d1653b6ae6171d35f4e6c17db14d5ab0873943b9c6"


def strict(schema: Any) -> Any:
    """The schema with unknown fields refused; the server of Kubernetes drops them in silence."""
    if isinstance(schema, list):
        return [strict(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: strict(value) for key, value in schema.items()}
    if "properties" in made and "x-kubernetes-preserve-unknown-fields" not in made and made.get("type") == "object":
        made.setdefault("additionalProperties", False)
    return made


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    content = gzip.decompress(CRD.read_bytes())
    assert hashlib.sha256(content).hexdigest() == SHA256
    (version,) = yaml.safe_load(content)["spec"]["versions"]
    found = strict(version["schema"]["openAPIV3Schema"])
    for name in ("apiVersion", "kind", "metadata"):  # every object has them; the schema need not say so
        found["properties"].setdefault(name, {})
    return dict(found)


@pytest.fixture
def example(configs: Path) -> dict[str, dict[str, Any]]:
    documents = yaml.safe_load_all((configs / "kubernetes" / "dask_cluster.yaml").read_text())
    return {document["kind"]: document for document in documents}


def container(pod: dict[str, Any]) -> dict[str, Any]:
    (only,) = pod["containers"]
    return dict(only)


def test_the_cluster_is_valid_by_the_operators_schema(
    schema: dict[str, Any], example: dict[str, dict[str, Any]]
) -> None:
    jsonschema.validate(example["DaskCluster"], schema)
    pods = schema["properties"]["spec"]["properties"]["worker"]["properties"]["spec"]
    jsonschema.validate(example["Job"]["spec"]["template"]["spec"], pods)  # a pod is a pod


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("spec", "worker", "replicas"), "eight"),
        (("spec", "worker", "spec", "containers"), []),
        (("spec", "worker", "spec", "containers", 0, "imagee"), "x"),
        (("spec", "worker", "spec", "containers", 0, "resources", "request"), {}),
        (("spec", "scheduler", "service", "ports", 0, "port"), "many"),
        (("spec", "workers"), {}),
    ],
)
def test_the_schema_would_notice_a_slip(
    schema: dict[str, Any], example: dict[str, dict[str, Any]], path: tuple[Any, ...], value: object
) -> None:
    slipped: Any = copy.deepcopy(example["DaskCluster"])
    at = slipped
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = value
    if value == []:
        del slipped["spec"]["worker"]["spec"]["containers"]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(slipped, schema)


def test_dask_takes_the_arguments_and_a_worker_has_a_core_and_its_memory(example: dict[str, dict[str, Any]]) -> None:
    worker = container(example["DaskCluster"]["spec"]["worker"]["spec"])
    assert worker["args"][:2] == ["dask", "worker"]
    taken = distributed.cli.dask_worker.main.make_context("dask worker", list(worker["args"][2:])).params
    processes = int(taken["n_workers"]) * int(taken["nthreads"])
    assert processes == int(worker["resources"]["requests"]["cpu"])
    of_pod = parse_bytes(worker["resources"]["limits"]["memory"] + "B")
    assert int(taken["n_workers"]) * parse_bytes(taken["memory_limit"]) <= of_pod
    scheduler = container(example["DaskCluster"]["spec"]["scheduler"]["spec"])
    assert scheduler["args"][:2] == ["dask", "scheduler"]
    assert distributed.cli.dask_scheduler.main.make_context("dask scheduler", list(scheduler["args"][2:])).params


def test_the_run_finds_the_scheduler_and_the_same_files_as_the_workers(example: dict[str, dict[str, Any]]) -> None:
    cluster, pod = example["DaskCluster"], example["Job"]["spec"]["template"]["spec"]
    run, worker = container(pod), container(cluster["spec"]["worker"]["spec"])
    assert run["args"][:2] == ["wsi-area", "run"]
    taken = wsi_area.cli.commands.run.command.make_context("run", list(run["args"][2:])).params
    # the operator names the scheduler's service after the cluster
    (port,) = [p["port"] for p in cluster["spec"]["scheduler"]["service"]["ports"] if p["name"] == "tcp-comm"]
    assert taken["scheduler"] == f"tcp://{cluster['metadata']['name']}-scheduler:{port}"
    assert load(None, [*taken["assignments"], f"run.scheduler={taken['scheduler']}"]).run.scheduler
    assert run["volumeMounts"] == worker["volumeMounts"]
    assert pod["volumes"] == cluster["spec"]["worker"]["spec"]["volumes"]
    (mounted,) = [mount["mountPath"] for mount in run["volumeMounts"]]
    assert all(str(path).startswith(mounted) for path in (*taken["slides"], taken["out"]))
    selector = cluster["spec"]["scheduler"]["service"]["selector"]
    assert selector["dask.org/cluster-name"] == cluster["metadata"]["name"]
    assert run["image"] == worker["image"] == container(cluster["spec"]["scheduler"]["spec"])["image"]
