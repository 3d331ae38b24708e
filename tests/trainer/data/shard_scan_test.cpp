#include "trainer/data/shard_scan.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "tests/trainer/data/shard_files.h"
#include "trainer/data/folder_index.h"
#include "trainer/data/shard_names.h"

namespace convoy {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

TEST(ShardNames, BracesAndStarsNameShards) {
  const Folder folder;
  for (int i = 0; i < 12; ++i) folder.write(fmt::format("s/train-{:06}.tar", i), {});
  folder.write("s/.train-.tar", {});
  std::vector<std::string> notes;
  const auto find = [&](const std::string& pattern) { return find_shards(folder.path(), pattern, notes); };
  EXPECT_THAT(find("s/train-{000009..000011}.tar"),
              ElementsAre("s/train-000009.tar", "s/train-000010.tar", "s/train-000011.tar"));
  EXPECT_EQ(find("s/train-{000000..000011}.tar"), find("s/train-*.tar"));
  EXPECT_EQ(find("s/train-*.tar"), find("s/*.tar"));
  EXPECT_EQ(find("s/train-0000{00..09}.tar").size(), 10U);
  EXPECT_EQ(find("s/train-00000{0,1}.tar").size(), 2U);
  EXPECT_TRUE(notes.empty());
}

TEST(ShardNames, WrongPatternsAreTold) {
  const Folder folder;
  for (const int i : {0, 1, 4, 5}) folder.write(fmt::format("t-{:03}.tar", i), {});
  folder.write("val-a.tar", {});
  folder.write("val-b.tar", {});
  std::vector<std::string> notes;
  const auto find = [&](const std::string& pattern) { return find_shards(folder.path(), pattern, notes); };
  EXPECT_THAT(find("val-{b,a}.tar"), ElementsAre("val-a.tar", "val-b.tar"));
  EXPECT_THAT(find("t-{000..001}.tar"), ElementsAre("t-000.tar", "t-001.tar"));
  EXPECT_TRUE(notes.empty());
  EXPECT_EQ(find("t-*.tar").size(), 4U);
  EXPECT_THAT(notes, ElementsAre("between the shards t-001.tar and t-004.tar are 2 missing"));
  expect_error(ExitCode::data, {"t-002.tar: there is no such shard", "names 6"},
               [&] { find("t-{000..005}.tar"); });
  expect_error(ExitCode::data, {"x-*.tar: there is no such tar file"}, [&] { find("x-*.tar"); });
  expect_error(ExitCode::data, {"none/x-*.tar: there is no such tar file"}, [&] { find("none/x-*.tar"); });
  for (const char* wrong : {"t-{0..", "t-{5..1}.tar", "t-{a..c}.tar", "t-{}.tar", "t-{0}.tar",
                            "t-{0..9999999}.tar", "{0..999}{0..999}{0..9}.tar", "t-{-1..2}.tar"}) {
    expect_error(ExitCode::usage, {"braces"}, [&] { find(wrong); });
  }
}

TEST(ShardNames, TheIndexIsBesideTheShards) {
  for (const char* pattern : {"train-{000000..000999}.tar", "train-*.tar", "train.tar"}) {
    EXPECT_EQ(shards_index_path("/d", pattern), "/d/train.shards-index") << pattern;
  }
  EXPECT_EQ(shards_index_path("/d", "s/*.tar"), "/d/s/all.shards-index");
}

ShardSamples list(const Bytes& members) { return list_shard(MemoryTar(members + kTarEnd)); }

TEST(ShardScan, SamplesAreFilesThatShareABaseName) {
  const Bytes shard = tar_member("d/", {}, '5') + tar_member("d/1.jpg", Bytes(5)) +
                      tar_member("d/1.cls", bytes_of("7")) + tar_member("d/1.json", Bytes(9)) +
                      tar_member("d/2.cls", bytes_of(" 12\n")) + tar_member("d/2.PNG", Bytes(6)) +
                      tar_member("./d/3.x.jpg", Bytes(1)) + tar_member(".dot.jpg", Bytes(1)) +
                      tar_member("none", Bytes(1)) + tar_member("./3.ppm", Bytes(7)) +
                      tar_member("3.cls", bytes_of("0"));
  const ShardSamples samples = list(shard);
  EXPECT_TRUE(samples.numbered);
  ASSERT_EQ(samples.files.size(), 3U);
  EXPECT_EQ(samples.files[0].name, "d/1.jpg");
  EXPECT_EQ(samples.files[0].label, 7);
  EXPECT_EQ(samples.files[0].bytes, 5U);
  EXPECT_EQ(samples.files[0].offset, 1024U);
  EXPECT_EQ(samples.files[1].name, "d/2.PNG");
  EXPECT_EQ(samples.files[1].label, 12);
  EXPECT_EQ(samples.files[2].name, "3.ppm");
  EXPECT_EQ(samples.others.count, 4) << ".json, .x.jpg, a name that starts with a dot, one without";
}

TEST(ShardScan, WithoutClsTheFirstFolderIsTheClass) {
  const ShardSamples samples = list(tar_member("b/x/1.jpg", Bytes(1)) + tar_member("a/2.jpg", Bytes(1)) +
                                    tar_member("b/3.jpg", Bytes(1)));
  EXPECT_FALSE(samples.numbered);
  EXPECT_THAT(samples.classes, ElementsAre("b", "a"));
  EXPECT_EQ(samples.files[0].label, 0);
  EXPECT_EQ(samples.files[1].label, 1);
  EXPECT_EQ(samples.files[2].label, 0);
}

TEST(ShardScan, WrongSamplesAreTold) {
  const auto refused = [](const Bytes& members, const std::string& part) {
    expect_error(ExitCode::data, {"memory.tar: at byte", part}, [&] { list(members); });
  };
  const Bytes image = tar_member("1.jpg", Bytes(1));
  const Bytes label = tar_member("1.cls", bytes_of("3"));
  const Bytes other = tar_member("2.jpg", Bytes(1)) + tar_member("2.cls", bytes_of("3"));
  refused(image, "sample \"1\" has no label");
  refused(label, "sample \"1\" has a label, but no image");
  refused(image + tar_member("1.png", Bytes(1)) + label, "sample \"1\" has a second image");
  refused(image + label + label, "sample \"1\" has a second label");
  refused(image + label + other + image + label, "the members of sample \"1\" do not stand together");
  refused(image + other + label, "sample \"1\" has no label");
  refused(image + label + tar_member("a/2.jpg", Bytes(1)), "sample \"a/2\" has no .cls member, unlike");
  refused(tar_member("a/2.jpg", Bytes(1)) + image + label, "sample \"1\" has a .cls member, unlike");
  for (const char* wrong : {"", "x", "-1", "1 2", "1.5", "1048576", "99999999999999999999", "0x10"}) {
    refused(image + tar_member("1.cls", bytes_of(wrong)), "1.cls: expected the number of a class");
  }
  refused(image + tar_member("1.cls", Bytes(40, ' ')), "expected the number");
}

TEST(ShardScan, AllShardsGiveOneListing) {
  const Folder folder;
  folder.write("a-0.tar", tar_member("cat/1.jpg", Bytes(1)) + tar_member("ape/2.jpg", Bytes(2)) + kTarEnd);
  folder.write("a-1.tar", tar_member("bee/3.jpg", Bytes(3)) + tar_member("cat/4.jpg", Bytes(4)) + kTarEnd);
  folder.write("a-2.tar", tar_member("read.me", Bytes(1)) + kTarEnd);
  for (const int threads : {1, 2, 5}) {
    const Listing listing = scan_shards(folder.path(), {"a-0.tar", "a-1.tar", "a-2.tar"}, threads);
    EXPECT_EQ(listing.kind, ListingKind::shards);
    EXPECT_THAT(listing.class_names, ElementsAre("ape", "bee", "cat"));
    const auto index = FolderIndex::of(listing);
    ASSERT_EQ(index->size(), 4);
    EXPECT_EQ(index->entry(0).path, "a-0.tar/cat/1.jpg");
    EXPECT_EQ(index->entry(0).label, 2);
    EXPECT_EQ(index->entry(1).label, 0);
    EXPECT_EQ(index->entry(2).label, 1);
    EXPECT_EQ(index->entry(2).folder, 1U);
    EXPECT_EQ(index->entry(3).bytes, 4U);
    EXPECT_EQ(index->entry(3).offset, 3U * 512);
    EXPECT_THAT(index->class_sizes(), ElementsAre(1, 1, 2));
    EXPECT_THAT(listing.notes, ElementsAre("shard a-2.tar has no image", HasSubstr("a-2.tar/read.me")));
  }
  folder.write("a-1.tar", tar_member("3.jpg", Bytes(3)) + tar_member("3.cls", bytes_of("1")) + kTarEnd);
  expect_error(ExitCode::data, {"a-1.tar: has .cls members, unlike the shards before"}, [&] {
    scan_shards(folder.path(), {"a-0.tar", "a-1.tar"}, 2);
  });
}

// GNU tar over a folder of class folders gives shards that need no .cls.
TEST(ShardScan, APlainTarOfClassFoldersIsAShard) {
  const ImageTree tree({"ape", "bee"}, {3, 2});
  shell(fmt::format("cd '{0}/train' && tar --sort=name -cf ../train-0.tar .", tree.folder.path()));
  const Listing listing = scan_shards(tree.folder.path(), {"train-0.tar"}, 1);
  EXPECT_THAT(listing.class_names, ElementsAre("ape", "bee"));
  EXPECT_EQ(listing.folders[0].files.size(), 5U);
  EXPECT_TRUE(listing.notes.empty());
}

}  // namespace
}  // namespace convoy
