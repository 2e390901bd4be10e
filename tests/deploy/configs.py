"""Runs the exporter with the configurations and flags of the rendered manifests, and --config.check.

Where a manifest only names a configuration that exists elsewhere, an example stands in for it.
"""

import pathlib
import re
import subprocess
import sys
import tempfile

import yaml

exporter, example = sys.argv[1:3]
for file in map(pathlib.Path, sys.argv[3:]):
    documents = [document for document in yaml.safe_load_all(file.read_text()) if document]
    own = [d.get("data", d.get("stringData")) for d in documents if d["kind"] in ("ConfigMap", "Secret")]
    text = next((data["config.yaml"] for data in own if "config.yaml" in data), pathlib.Path(example).read_text())
    workload = next(d for d in documents if d["kind"] in ("Deployment", "StatefulSet"))
    with tempfile.TemporaryDirectory() as folder:
        # Files with secrets must be there, as in the pod.
        for path in set(re.findall(r"(?:secret|token|config)_file: (/\S+)", text)):
            secret = pathlib.Path(folder) / pathlib.Path(path).name
            secret.write_text("secret")
            text = text.replace(path, str(secret))
        config = pathlib.Path(folder) / "config.yaml"
        config.write_text(text)
        args = workload["spec"]["template"]["spec"]["containers"][0]["args"]
        args = [f"--config.file={config}" if arg.startswith("--config.file=") else arg for arg in args]
        # The check reads the web configuration too, which is a Secret in the pod.
        web = pathlib.Path(folder) / "web.yml"
        web.write_text("")
        args = [f"--web.config.file={web}" if arg.startswith("--web.config.file=") else arg for arg in args]
        # The name of this machine has no ordinal; tests/deploy/image tests a pod whose name has one.
        args = ["--shard.ordinal=0" if arg == "--shard.ordinal-from-hostname" else arg for arg in args]
        print(file.stem, flush=True)
        if subprocess.run([exporter, *args, "--config.check"], check=False).returncode != 0:
            sys.exit(f"{file.stem}: the exporter refuses {text} with {args}")
