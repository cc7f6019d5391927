"""Stand-ins of the Kubernetes API and of Prometheus that replay recorded incidents over real HTTP on 127.0.0.1.

`with KubeStandin(load(FOLDER, now=...)) as kube, PrometheusStandin(recordings.series) as prometheus: kube.url, prometheus.url`
"""

from receiver.demo.standins.kubernetes import KubeStandin
from receiver.demo.standins.prometheus import PrometheusStandin
from receiver.demo.standins.recordings import Incident, PodRecording, Recordings, load
from receiver.demo.standins.server import Asked, Reply, Standin, api_status, json_reply

__all__ = [
    "Asked",
    "Incident",
    "KubeStandin",
    "PodRecording",
    "PrometheusStandin",
    "Recordings",
    "Reply",
    "Standin",
    "api_status",
    "json_reply",
    "load",
]
