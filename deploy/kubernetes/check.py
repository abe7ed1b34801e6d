#!/usr/bin/env python3
"""Checks rendered manifests without a cluster.

usage: check.py typed FILE | hardened FILE | promised FILE OVERLAY | selftest FILE OVERLAY | commands FILE
       check.py pod FILE DIRECTORY NAME

typed     decodes every workload with kubectl's own types and reports what does not survive: a wrong type or an
          unknown field
hardened  demands of every container what this product promises of its containers
promised  demands what the overlay is for: probes, disruption budget, network policies, monitoring, backups, sidecars
selftest  takes each promised thing away in turn and reports what `hardened` and `promised` do not miss
commands  prints the command of each container of ours that serves (behind NAME=VALUE of its environment), and of its
          probes, a line each, quoted for a shell
pod       prints the pod of the one workload as `podman kube play` takes it, called NAME: native sidecars as
          containers, probes left out (verify.sh asks them itself), volumes as directories below DIRECTORY
"""
import copy
import json
import shlex
import subprocess
import sys

import yaml

WORKLOADS = ('Deployment', 'StatefulSet', 'Job', 'CronJob')
# Kinds that each overlay must hold.
PROMISED = {
    'base': ('StatefulSet', 'Service', 'ServiceAccount', 'PodDisruptionBudget', 'NetworkPolicy', 'ConfigMap'),
    'overlays/monitored': ('StatefulSet', 'PodDisruptionBudget', 'NetworkPolicy', 'ServiceMonitor'),
    'overlays/backup': ('StatefulSet', 'PodDisruptionBudget', 'NetworkPolicy', 'CronJob', 'PersistentVolumeClaim'),
    'overlays/identity': ('StatefulSet', 'PodDisruptionBudget', 'NetworkPolicy'),
    'overlays/sidecar': ('Deployment',),
    'overlays/administrator': ('Job',),
}


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


def containers(spec):
    return spec.get('initContainers', []) + spec['containers']


def where(document):
    return f"{document['kind']} {document['metadata']['name']}"


def hardened(path):
    return judge_hardening(documents(path))


def judge_hardening(all_documents):
    for document in all_documents:
        if document['kind'] not in WORKLOADS:
            continue
        spec = pod_spec(document)
        pod = spec.get('securityContext', {})
        if not pod.get('runAsNonRoot') or pod.get('seccompProfile', {}).get('type') != 'RuntimeDefault':
            yield f'{where(document)}: runs as root or without seccomp'
        if spec.get('automountServiceAccountToken', True):
            yield f'{where(document)}: has a token of the cluster'
        for container in containers(spec):
            name = f"{where(document)}: {container['name']}"
            security = container.get('securityContext', {})
            if security.get('allowPrivilegeEscalation', True):
                yield f'{name} may gain privileges'
            if not security.get('readOnlyRootFilesystem'):
                yield f'{name} may write to its image'
            if security.get('capabilities', {}).get('drop') != ['ALL']:
                yield f'{name} keeps capabilities'
            resources = container.get('resources', {})
            if not {'cpu', 'memory'} <= set(resources.get('requests', {})):
                yield f'{name} does not say what it needs'
            if 'memory' not in resources.get('limits', {}):
                yield f'{name} has no memory limit'


def matches(selector, labels):
    return all(labels.get(key) == value for key, value in selector.get('matchLabels', {}).items())


def pod_labels(document):
    return document['spec']['template']['metadata'].get('labels', {})


def ours(container):
    return container['image'].split(':')[0].endswith('relations')


def judge_probes(document):
    for container in containers(pod_spec(document)):
        if not ours(container):
            continue
        name = f"{where(document)}: {container['name']}"
        for probe in ('startupProbe', 'livenessProbe'):
            if not {'exec', 'httpGet', 'grpc', 'tcpSocket'} & set(container.get(probe, {})):
                yield f'{name} has no {probe}'
    if document['kind'] == 'StatefulSet' and not any(
            'readinessProbe' in container for container in containers(pod_spec(document))):
        yield f'{where(document)} is never told to be unready'


def judge_store(document, by_kind):
    """What stands around the store's own pod."""
    labels = pod_labels(document)
    if not any(matches(budget['spec']['selector'], labels) for budget in by_kind('PodDisruptionBudget')):
        yield 'no PodDisruptionBudget selects the store'
    policies = [p for p in by_kind('NetworkPolicy') if matches(p['spec']['podSelector'], labels)]
    for direction in ('Ingress', 'Egress'):
        if not any(direction in policy['spec']['policyTypes'] for policy in policies):
            yield f'no NetworkPolicy restricts {direction} of the store'
    allowed = {port['port'] for policy in policies for rule in policy['spec'].get('ingress', [])
               for port in rule.get('ports', [])}
    served = {port['containerPort'] for container in containers(pod_spec(document))
              for port in container.get('ports', [])}
    if not served <= allowed:
        yield f'the NetworkPolicy closes ports that are served: {served - allowed}'
    if not shares_socket(document):
        yield f'{where(document)}: server and gateway share no volume for their socket'


def judge_monitor(monitor, by_kind):
    watched = [service for service in by_kind('Service')
               if matches(monitor['spec']['selector'], service['metadata'].get('labels', {}))]
    ports = {port['name'] for service in watched for port in service['spec']['ports']}
    wanted = {endpoint['port'] for endpoint in monitor['spec']['endpoints']}
    if not wanted or not wanted <= ports:
        yield f'the ServiceMonitor watches ports that no Service has: {wanted - ports}'
    if {'metrics', 'server-metrics'} - wanted:
        yield 'the ServiceMonitor does not watch both programs'


def judge_backup(job, by_kind):
    spec = pod_spec(job)
    command = spec['containers'][0]['command']
    if 'backup' not in command:
        yield f'{where(job)} takes no backup'
    host, port = command[command.index('--server') + 1].split(':')
    services = [s for s in by_kind('Service') if s['metadata']['name'] == host]
    if not any(p['port'] == int(port) for s in services for p in s['spec']['ports']):
        yield f'{where(job)} asks {host}:{port}, which no Service serves'
    labels = job['spec']['jobTemplate']['spec']['template']['metadata']['labels']
    sources = [source for policy in by_kind('NetworkPolicy') for rule in policy['spec'].get('ingress', [])
               if any(p['port'] == int(port) for p in rule.get('ports', [])) for source in rule.get('from', [])]
    if not any(matches(source.get('podSelector', {}), labels) for source in sources):
        yield f'no NetworkPolicy lets {where(job)} reach the store'
    claims = {claim['metadata']['name'] for claim in by_kind('PersistentVolumeClaim')}
    volumes = [v for store in by_kind('StatefulSet') for v in pod_spec(store)['volumes']]
    if not claims & {v['persistentVolumeClaim']['claimName'] for v in volumes if 'persistentVolumeClaim' in v}:
        yield 'the store has no volume for backups'


def volumes_of(container):
    return {mount['name']: mount for mount in container.get('volumeMounts', [])}


def shares_socket(document):
    """Whether all of our containers mount a volume where the server makes its socket."""
    mounts = [volumes_of(c) for c in containers(pod_spec(document)) if ours(c)]
    return len(mounts) > 1 and any(
        all(name in m and m[name]['mountPath'] == '/run/relations' for m in mounts) for name in mounts[0])


def judge_sidecars(document):
    sidecars = {c['name']: c for c in pod_spec(document).get('initContainers', [])}
    for name in ('relations-server', 'relations-gateway'):
        if sidecars.get(name, {}).get('restartPolicy') != 'Always':
            yield f'{where(document)} has no sidecar {name}'
            return
    server = sidecars['relations-server']
    if '--read-only' not in server['command'] or not volumes_of(server).get('relations-data', {}).get('readOnly'):
        yield f'{where(document)}: the server beside an application may write'
    if not shares_socket(document):
        yield f'{where(document)}: server and gateway share no volume for their socket'


def promised(path, overlay):
    return judge_promises(documents(path), overlay)


def judge_promises(all_documents, overlay):
    def by_kind(kind):
        return [document for document in all_documents if document['kind'] == kind]
    for kind in PROMISED[overlay]:
        if not by_kind(kind):
            yield f'{overlay} has no {kind}'
    for document in by_kind('StatefulSet') + by_kind('Deployment'):
        yield from judge_probes(document)
    for document in by_kind('StatefulSet'):
        yield from judge_store(document, by_kind)
    for monitor in by_kind('ServiceMonitor'):
        yield from judge_monitor(monitor, by_kind)
    for job in by_kind('CronJob'):
        yield from judge_backup(job, by_kind)
    for document in by_kind('Deployment'):
        yield from judge_sidecars(document)


# What `selftest` takes away of every container of ours, and of every pod.
OF_CONTAINERS = (('startupProbe',), ('livenessProbe',), ('resources', 'requests'), ('resources', 'limits'),
                 ('securityContext', 'allowPrivilegeEscalation'), ('securityContext', 'readOnlyRootFilesystem'),
                 ('securityContext', 'capabilities'), ('volumeMounts',))
OF_PODS = (('securityContext', 'runAsNonRoot'), ('securityContext', 'seccompProfile'),
           ('automountServiceAccountToken',))


def without(value, path):
    """Takes the member at `path` away; False when there was none."""
    for key in path[:-1]:
        value = value.get(key, {})
    return value.pop(path[-1], None) is not None


def mutants(all_documents, overlay):
    """Each with one promised thing less, and what that is."""
    for kind in PROMISED[overlay]:
        yield f'no {kind}', [d for d in all_documents if d['kind'] != kind]
    for index, document in enumerate(all_documents):
        if document['kind'] not in WORKLOADS:
            continue
        for path in OF_PODS:
            changed = copy.deepcopy(all_documents)
            if without(pod_spec(changed[index]), path):
                yield f"{where(document)} without {'.'.join(path)}", changed
        for place, container in enumerate(containers(pod_spec(document))):
            if not ours(container):
                continue
            for path in OF_CONTAINERS:
                changed = copy.deepcopy(all_documents)
                mutated = containers(pod_spec(changed[index]))[place]
                probe = path[0].endswith('Probe') or path[0] == 'volumeMounts'
                if document['kind'] in ('CronJob', 'Job') and probe:
                    continue
                if without(mutated, path):
                    yield f"{where(document)}: {container['name']} without {'.'.join(path)}", changed


def selftest(path, overlay):
    all_documents = documents(path)
    count = 0
    for what, mutant in mutants(all_documents, overlay):
        count += 1
        if not list(judge_hardening(mutant)) and not list(judge_promises(mutant, overlay)):
            yield f'nobody misses: {what}'
    if count < len(PROMISED[overlay]) + 8:
        yield f'only {count} things could be taken away'


def commands(path):
    found = set()
    for document in documents(path):
        for container in containers(pod_spec(document)) if document['kind'] in WORKLOADS else []:
            if not ours(container):
                continue
            environment = [f"{variable['name']}={variable['value']}" for variable in container.get('env', [])]
            found.add(shlex.join(environment + container['command']))
            for probe in ('startupProbe', 'livenessProbe', 'readinessProbe'):
                if 'exec' in container.get(probe, {}):
                    found.add(shlex.join(container[probe]['exec']['command']))
    print('\n'.join(sorted(found)))
    return []


def pod(path, directory, pod_name):
    document = next(d for d in documents(path) if d['kind'] in ('StatefulSet', 'Deployment'))
    spec = copy.deepcopy(pod_spec(document))
    sidecars = spec.pop('initContainers', [])
    # Of an application's pod only what is ours.
    spec['containers'] = [container for container in sidecars + spec['containers'] if ours(container)]
    claims = document['spec'].get('volumeClaimTemplates', [])
    spec['volumes'] = spec.get('volumes', []) + [{'name': c['metadata']['name']} for c in claims]
    for volume in spec['volumes']:
        name = volume['name']
        # An application reads the very store that the StatefulSet writes.
        place = 'data' if name == 'relations-data' else name
        volume.clear()
        volume.update({'name': name, 'hostPath': {'path': f'{directory}/{place}', 'type': 'Directory'}})
    for container in spec['containers']:
        # Ports too: podman would take those of the host, and two pods have the same.
        for key in ('restartPolicy', 'ports', 'startupProbe', 'livenessProbe', 'readinessProbe'):
            container.pop(key, None)
        security = container['securityContext']
        security.update({key: spec['securityContext'][key] for key in ('runAsUser', 'runAsGroup')})
        # Podman has the default filter anyway, and knows the field for pods alone.
        security.pop('seccompProfile', None)
    spec.pop('serviceAccountName', None)
    print(yaml.safe_dump({'apiVersion': 'v1', 'kind': 'Pod', 'metadata': {'name': pod_name}, 'spec': spec}))
    return []


def main():
    tasks = {task.__name__: task for task in (typed, hardened, promised, selftest, commands, pod)}
    findings = list(tasks[sys.argv[1]](*sys.argv[2:]))
    for finding in findings:
        print(finding, file=sys.stderr)
    return 1 if findings else 0


if __name__ == '__main__':
    sys.exit(main())
