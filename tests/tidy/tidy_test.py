#!/usr/bin/env python3
"""Keeps the mechanical rules of the house: layers, tests that run, sizes, dead text, links.

usage: tidy_test.py ROOT

Each rule is a function from a path and its text to findings; SELF_TESTS shows for each rule a text that it
must find fault with and one that it must accept, so that a rule cannot silently stop working.
"""
import os
import re
import subprocess
import sys

SOURCE = ('.h', '.cc')
# Files that are allowed to be longer, with the reason.
LONG_FILES = {
    'storage/import/stix_object.cc': 'one table of STIX types with the function of each row',
}
LINES_MAX = 450
TEST_LINES_MAX = 650
COLUMNS_MAX = 100
BLOB_BYTES_MAX = 1 << 20
TOP_LEVEL = {'CMakeLists.txt', 'CMakePresets.json', 'LICENSE', 'README.md', 'deploy', 'gateway',
             'proto', 'server', 'storage', 'tests'}

# What a folder may include of our own, by the first folders of the path; the longest match counts.
LAYERS = {
    'storage/base/': ('storage/base/',),
    'storage/': ('storage/', 'relations/'),
    'server/': ('server/', 'storage/', 'relations/', 'google/rpc/'),
    'gateway/': ('gateway/', 'storage/base/', 'relations/', 'google/rpc/'),
}
OWN = ('storage/', 'server/', 'gateway/', 'tests/', 'relations/', 'google/rpc/')
FOREIGN = {
    'storage/': ('grpc', 'boost/beast', 'boost/asio'),
    'gateway/': ('rocksdb/',),
}


def includes(text):
    return re.findall(r'^#include ["<]([^">]+)[">]', text, re.M)


def check_layers(path, text):
    folder = max((f for f in LAYERS if path.startswith(f)), key=len, default=None)
    for name in includes(text) if folder else ():
        if name.startswith(OWN) and not name.startswith(LAYERS[folder]):
            yield f'{folder} must not include {name}'
        for top, forbidden in FOREIGN.items():
            if path.startswith(top) and name.startswith(forbidden):
                yield f'{top} must not include {name}'


def check_rocks_stays_inside(path, text):
    if not path.startswith(('storage/rocks/', 'tests/')) and path.endswith('.h'):
        if any(name.startswith('rocksdb/') for name in includes(text)):
            yield 'a header outside storage/rocks/ includes RocksDB'


def check_header(path, text):
    if not path.endswith('.h'):
        return
    if not text.startswith('//'):
        yield 'a header starts with a comment that says what it is'
    if text.count('#pragma once') != 1:
        yield 'a header has one #pragma once'
    if re.search(r'^\s*using namespace', text, re.M):
        yield 'a header has no using-directive'


def check_text(path, text):
    for number, line in enumerate(text.split('\n'), 1):
        if path.endswith(SOURCE) and len(line) > COLUMNS_MAX:
            yield f'line {number} has more than {COLUMNS_MAX} columns'
        if line != line.rstrip():
            yield f'line {number} ends with white space'
        if '\t' in line:
            yield f'line {number} has a tab'
    if text and not text.endswith('\n'):
        yield 'the file does not end with a line end'


def check_dead(path, text):
    # The rules' own tests hold what they look for.
    if path.startswith('tests/tidy/') or not path.endswith(SOURCE + ('.sh', '.txt', '.proto')):
        return
    for word in ('TO' + 'DO', 'FIX' + 'ME', 'XX' + 'X:', '#if ' + '0'):
        if re.search(r'(?<![A-Za-z0-9_-])' + re.escape(word), text):
            yield f'{word} is left in the file'


def check_size(path, text):
    if not path.endswith(SOURCE):
        return
    most = TEST_LINES_MAX if path.startswith('tests/') else LINES_MAX
    lines = text.count('\n')
    if lines > most and path not in LONG_FILES:
        yield f'{lines} lines, more than {most}'


def check_links(path, text, root):
    if not path.endswith('.md'):
        return
    prose = re.sub(r'```.*?```', '', text, flags=re.S)
    for target in re.findall(r'\]\(([^)#\s]+)(?:#[^)]*)?\)', prose):
        if '://' in target or target.startswith('mailto:'):
            continue
        if not os.path.exists(os.path.join(root, os.path.dirname(path), target)):
            yield f'the link {target} leads nowhere'


def check_output(path, text):
    if path.startswith('storage/') and re.search(r'std::c(out|err|log)\b', text):
        if path != 'storage/base/settings.cc':
            yield 'a library writes to the standard streams; use storage/base/log.h'


TEXT_RULES = [check_layers, check_rocks_stays_inside, check_header, check_text, check_dead, check_size,
              check_output]

SELF_TESTS = [
    (check_layers, 'gateway/a.cc', '#include "storage/traversal.h"\n', '#include "storage/base/log.h"\n'),
    (check_layers, 'storage/a.cc', '#include "server/config.h"\n', '#include "storage/varint.h"\n'),
    (check_layers, 'storage/a.cc', '#include <grpcpp/server.h>\n', '#include <rocksdb/db.h>\n'),
    (check_layers, 'storage/base/a.cc', '#include "storage/varint.h"\n', '#include "storage/base/log.h"\n'),
    (check_layers, 'server/a.cc', '#include "gateway/config.h"\n', '#include "server/config.h"\n'),
    (check_rocks_stays_inside, 'server/a.h', '#include "rocksdb/db.h"\n', '#include "absl/x.h"\n'),
    (check_header, 'storage/a.h', '#pragma once\n', '// What it is.\n#pragma once\n'),
    (check_header, 'storage/a.h', '// What.\n', '// What.\n#pragma once\n'),
    (check_header, 'storage/a.h', '// W.\n#pragma once\nusing namespace std;\n', '// W.\n#pragma once\n'),
    (check_text, 'a.cc', 'x' * 101 + '\n', 'x' * 100 + '\n'),
    (check_text, 'a.md', 'x \n', 'x\n'),
    (check_text, 'a.md', '\tx\n', 'x\n'),
    (check_text, 'a.md', 'x', 'x\n'),
    (check_dead, 'a.cc', '// TO' + 'DO: later\n', '// all done\n'),
    (check_dead, 'a.cc', '#if ' + '0\n#endif\n', '#ifdef A\n#endif\n'),
    (check_size, 'storage/a.cc', '\n' * (LINES_MAX + 1), '\n' * LINES_MAX),
    (check_size, 'tests/a.cc', '\n' * (TEST_LINES_MAX + 1), '\n' * TEST_LINES_MAX),
    (check_output, 'storage/a.cc', 'std::cout << 1;\n', 'LogInfo("x");\n'),
]


def self_test():
    for rule, path, bad, good in SELF_TESTS:
        if not list(rule(path, bad)):
            yield f'{rule.__name__} finds nothing wrong with {bad[:40]!r}'
        if list(rule(path, good)):
            yield f'{rule.__name__} finds fault with {good[:40]!r}'
    if not list(check_links('a.md', '[x](no/such/file.md)\n', '/')):
        yield 'check_links finds nothing wrong with a dead link'


def tracked_files(root):
    listed = subprocess.run(['git', '-C', root, 'ls-files', '-z'], capture_output=True, text=True)
    if listed.returncode == 0 and listed.stdout:
        return [f for f in listed.stdout.split('\0') if f and os.path.exists(os.path.join(root, f))]
    found = []
    for folder, folders, files in os.walk(root):
        folders[:] = [f for f in folders if f not in ('build', '.git')]
        found += [os.path.relpath(os.path.join(folder, f), root) for f in files]
    return found


def check_tree(root, files):
    """Rules about the whole tree."""
    for top in sorted({f.split('/')[0] for f in files}):
        if not top.startswith('.') and top not in TOP_LEVEL:
            yield f'{top} does not belong to the top level'
    for folder in ('proto', 'storage', 'server', 'gateway', 'tests', 'deploy'):
        if f'{folder}/README.md' not in files:
            yield f'{folder}/ has no README.md'
    listed = ''
    for f in files:
        if f.endswith('CMakeLists.txt'):
            with open(os.path.join(root, f), encoding='utf-8') as stream:
                listed += stream.read()
    for f in files:
        if f.endswith('.cc') and not re.search(r'\b' + re.escape(os.path.basename(f)[:-3]) + r'\b', listed):
            yield f'{f} is in no CMakeLists.txt: it is never compiled'
        size = os.path.getsize(os.path.join(root, f))
        if size > BLOB_BYTES_MAX:
            yield f'{f} has {size} bytes, more than {BLOB_BYTES_MAX}'


def main():
    root = os.path.abspath(sys.argv[1])
    findings = [f'self-test: {finding}' for finding in self_test()]
    files = tracked_files(root)
    findings += check_tree(root, files)
    for f in files:
        if not f.endswith(SOURCE + ('.md', '.py', '.sh', '.txt', '.proto', '.yml', '.yaml')):
            continue
        if f.startswith(('deploy/sample/', 'tests/import/data/', 'tests/conformance/data/')):
            continue
        with open(os.path.join(root, f), encoding='utf-8') as stream:
            text = stream.read()
        findings += [f'{f}: {finding}' for rule in TEXT_RULES for finding in rule(f, text)]
        findings += [f'{f}: {finding}' for finding in check_links(f, text, root)]
    for finding in findings:
        print(finding)
    print(f'{len(files)} files, {len(findings)} findings')
    return 1 if findings else 0


if __name__ == '__main__':
    sys.exit(main())
