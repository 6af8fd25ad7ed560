# SPDX-License-Identifier: Apache-2.0
"""The application of W13: an interpreter's program with 3,000 vendored files in a layer that no edit touches, 400 sources, a build
step that bundles these, and a start that loads the bundle. Perl, because every Debian has it."""
import shutil

import data

DOCKERFILE = """FROM {debian}
WORKDIR /app
COPY deps.tar deps.lock ./
RUN mkdir vendor && tar -xf deps.tar -C vendor && rm deps.tar && find vendor -type f | wc -l > vendor.count
COPY build.pl main.pl ./
COPY src src
RUN perl build.pl
CMD ["perl", "main.pl"]
"""
BUILD = r"""use strict; use warnings;
open my $out, '>', 'bundle.pl' or die;
for my $source (sort glob 'src/*/*.pl') {
  open my $in, '<', $source or die;
  print $out do { local $/; <$in> };
}
print $out "1;\n";
"""
MAIN = r"""use strict; use warnings;
our (%parts, $edit);
require './bundle.pl';
my $sum = 0;
$sum += unpack '%32C*', $_->() for map { $parts{$_} } sort keys %parts;
open my $count, '<', 'vendor.count' or die;
printf "edit=%d parts=%d sum=%d vendor=%d\n", $edit, scalar(keys %parts), $sum, <$count>;
"""
SOURCES, VENDORED, VENDORED_BYTES = 400, 3_000, 30_000_000


def fill(context):
    data.put(context / "build.pl", BUILD)
    data.put(context / "main.pl", MAIN)
    data.put(context / "deps.lock", "everything 1.0\n")
    vendor = context.with_name("w13-vendor")
    data.tree(vendor, VENDORED, VENDORED_BYTES, 13)
    data.pack(vendor, context / "deps.tar")
    shutil.rmtree(vendor)
    text = data.prose(13, 16 << 20)
    for index in range(SOURCES):
        body = text[index * 9000:index * 9000 + 9000].decode()
        data.put(context / f"src/mod{index % 20:02}/part{index:03}.pl",
                 f"our (%parts, $edit);\n$parts{{p{index}}} = sub {{ return <<'TEXT'; }};\n{body}\nTEXT\n")
    restore(context)


def source(number):
    return f"our (%parts, $edit);\n$edit = {number};\n"


def edit(context, number):
    (context / "src/mod07/edited.pl").write_text(source(number))


def restore(context):
    data.put(context / "src/mod07/edited.pl", source(0))
    data.settle(context / "src")


def build_and_run(scene):
    return [*scene.peer.build(scene.job("store")), *scene.peer.run(scene.tag, ["perl", "main.pl"])]


def verify(output, number):
    if f"edit={number} parts={SOURCES} " not in output or f"vendor={VENDORED}" not in output:
        raise ValueError(f"the application does not know of edit {number}")
