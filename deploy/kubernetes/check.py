#!/usr/bin/env python3
"""Checks rendered manifests without a cluster.

usage: check.py typed FILE | hardened FILE | pod FILE DIRECTORY

typed     decodes every workload with kubectl's own types and reports what does not survive: a wrong type or an
          unknown field
hardened  demands of every container what this product promises of its containers
pod       prints the StatefulSet's pod as `podman kube play` takes it: native sidecars as containers, probes left
          out (verify.sh asks them itself), volumes as directories below DIRECTORY
"""
import copy
import json
import subprocess
import sys

import yaml

WORKLOADS = ('Deployment', 'StatefulSet', 'Job', 'CronJob')


def documents(path):
    with open(path, encoding='utf-8') as stream:
        return [d for d in yaml.safe_load_all(stream) if d]


def paths(value, at=()):
    if isinstance(value, dict) and value:
        for key, child in value.items():
            yield from paths(child, at + (key,))
    elif isinstance(value, list) and value:
        for index, child in enumerate(value):
            yield from paths(child, at + (index,))
    else:
        yield at


def has(value, path):
    for key in path:
        try:
            value = value[key]
        except (KeyError, IndexError, TypeError):
            return False
    return True


def typed(path):
    for document in documents(path):
        if document['kind'] not in WORKLOADS:
            continue
        name = f"{document['kind']} {document['metadata']['name']}"
        run = subprocess.run(['kubectl', 'set', 'env', '--local', '-f', '-', '-o', 'json', 'STRICT=1'],
                             input=json.dumps(document), capture_output=True, text=True)
        if run.returncode:
            yield f'{name}: {run.stderr.strip()}'
            continue
        decoded = json.loads(run.stdout)
        for lost in paths(document):
            if not has(decoded, lost):
                yield f"{name}: unknown field {'.'.join(map(str, lost))}"


def pod_spec(document):
    spec = document['spec']
    if document['kind'] == 'CronJob':
        spec = spec['jobTemplate']['spec']
    return spec['template']['spec']


def hardened(path):
    for document in documents(path):
        if document['kind'] not in WORKLOADS:
            continue
        spec = pod_spec(document)
        where = f"{document['kind']} {document['metadata']['name']}"
        pod = spec.get('securityContext', {})
        if not pod.get('runAsNonRoot') or pod.get('seccompProfile', {}).get('type') != 'RuntimeDefault':
            yield f'{where}: runs as root or without seccomp'
        if spec.get('automountServiceAccountToken', True):
            yield f'{where}: has a token of the cluster'
        for container in spec.get('initContainers', []) + spec['containers']:
            name = f"{where}: {container['name']}"
            security = container.get('securityContext', {})
            if security.get('allowPrivilegeEscalation', True):
                yield f'{name} may gain privileges'
            if not security.get('readOnlyRootFilesystem'):
                yield f'{name} may write to its image'
            if security.get('capabilities', {}).get('drop') != ['ALL']:
                yield f'{name} keeps capabilities'
            resources = container.get('resources', {})
            if not resources.get('requests') or 'memory' not in resources.get('limits', {}):
                yield f'{name} has no requests or no memory limit'


def pod(path, directory):
    document = next(d for d in documents(path) if d['kind'] == 'StatefulSet')
    spec = copy.deepcopy(pod_spec(document))
    sidecars = spec.pop('initContainers', [])
    spec['containers'] = sidecars + spec['containers']
    claims = document['spec'].get('volumeClaimTemplates', [])
    spec['volumes'] = spec.get('volumes', []) + [{'name': c['metadata']['name']} for c in claims]
    for volume in spec['volumes']:
        name = volume['name']
        volume.clear()
        volume.update({'name': name, 'hostPath': {'path': f'{directory}/{name}', 'type': 'Directory'}})
    for container in spec['containers']:
        for key in ('restartPolicy', 'startupProbe', 'livenessProbe', 'readinessProbe'):
            container.pop(key, None)
        security = container['securityContext']
        security.update({key: spec['securityContext'][key] for key in ('runAsUser', 'runAsGroup')})
    spec.pop('serviceAccountName', None)
    print(yaml.safe_dump({'apiVersion': 'v1', 'kind': 'Pod', 'metadata': {'name': 'relations'}, 'spec': spec}))
    return []


def main():
    findings = list({'typed': typed, 'hardened': hardened, 'pod': pod}[sys.argv[1]](*sys.argv[2:]))
    for finding in findings:
        print(finding, file=sys.stderr)
    return 1 if findings else 0


if __name__ == '__main__':
    sys.exit(main())
