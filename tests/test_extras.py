"""What an extra brings and is not installed is named, with the extra to install, in the same words everywhere."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from measuring import measure
from synthetic import disc, write_slide

from wsi_area.errors import MissingExtraError, SettingsError
from wsi_area.model.geometry import Size

SIZE = Size(300, 200)

# what lacks | what is tried: words of the command line, or Python after "-" | the extra that brings it
TRIED = {
    "obstore": (("run", "s3://lab/slides/a.svs", "--out", "out"), "s3"),
    "obstore.store": (("verify", "s3://lab/run"), "s3"),
    "boto3": (("verify", "s3://lab/run", "--set", "storage.profile=lab"), "s3"),
    "sklearn": (("train", "--slides", "s.tif", "--annotations", "drawn.json", "--out", "model"), "train"),
    "threadpoolctl": (("train", "--slides", "s.tif", "--annotations", "drawn.json", "--out", "model"), "train"),
    "matplotlib": (("train", "--slides", "s.tif", "--annotations", "drawn.json", "--out", "model"), "train"),
    "weasyprint": (("report", "run", "--pdf"), "pdf"),
    "dask_jobqueue": (("run", "s.tif", "--out", "out", "--set", "run.executor=slurm"), "slurm"),
    "cryptography": (("run", "s.tif", "--out", "out", "--set", "run.executor=slurm"), "slurm"),
    "onnxruntime": (
        ("-", "from wsi_area.segmenters.onnx.session import chosen_provider; chosen_provider('cpu')"),
        "onnx",
    ),
    "anywidget": (("-", "import wsi_area; wsi_area.open_run('run')['s'].view()"), "notebook"),
    "matplotlib.pyplot": (("-", "import wsi_area; wsi_area.open_run('run')['s'].plot()"), "notebook"),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("extras")
    slide = write_slide(root / "s.tif", SIZE, {"tissue": disc(SIZE, 150, 100, 60)})
    measure(slide.path, root / "run")
    (root / "drawn.json").write_text('{"type": "FeatureCollection", "features": []}')
    for program in ("sbatch", "squeue", "scancel"):
        (root / program).write_text("#!/bin/sh\nexit 0\n")
        (root / program).chmod(0o755)
    return root


@pytest.mark.parametrize("lacks", TRIED)
def test_what_lacks_is_named_with_its_extra(folder: Path, lacks: str) -> None:
    words, extra = TRIED[lacks]
    done = words[1] if words[0] == "-" else f"sys.argv = {['wsi-area', *words]!r}; main()"
    script = f"""
import os, sys
sys.modules[{lacks!r}] = None
os.environ["PATH"] = os.getcwd() + os.pathsep + os.environ["PATH"]
os.environ["AWS_PROFILE"] = "lab"
from wsi_area.cli.main import main
{done}
"""
    ended = subprocess.run([sys.executable, "-c", script], cwd=folder, capture_output=True, text=True, timeout=120)
    assert ended.returncode == 1, ended.stderr
    told = " ".join(ended.stderr.split())
    assert f"install it with: pip install 'wsi-area[{extra}]'" in told
    assert re.search(rf"needs what is not installed \([^)]*{lacks}[^)]*\);", told), told
    assert words[0] == "-" or "Traceback" not in ended.stderr


def test_it_is_both_a_wrong_setting_and_a_failed_import() -> None:
    error = MissingExtraError.of("a PDF", "pdf", ImportError("No module named 'weasyprint'"))
    assert isinstance(error, SettingsError)
    assert isinstance(error, ImportError)
