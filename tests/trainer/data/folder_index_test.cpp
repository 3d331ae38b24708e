#include "trainer/data/folder_index.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <chrono>
#include <set>

#include "tests/trainer/data/data_files.h"
#include "trainer/data/set_error.h"

namespace convoy {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::string> paths(const FolderIndex& index) {
  std::vector<std::string> all;
  for (std::int64_t i = 0; i < index.size(); ++i) all.push_back(index.entry(i).path);
  return all;
}

TEST(FolderScan, ListsClassesAndImagesInSortedOrder) {
  const Folder folder;
  for (const char* name :
       {"b/2.jpg", "b/10.JPEG", "b/1.png", "a/x.jpeg", "a b/y.jpg", "a/sub/z.jpg", "B/q.jpg"}) {
    folder.write(name, Bytes(3));
  }
  for (const int threads : {1, 2, 8}) {
    const Listing listing = scan_folder(folder.path(), threads);
    EXPECT_THAT(listing.class_names, ElementsAre("B", "a", "a b", "b"));
    EXPECT_TRUE(listing.notes.empty());
    const auto index = FolderIndex::of(listing);
    EXPECT_THAT(paths(*index), ElementsAre("B/q.jpg", "a/x.jpeg", "a b/y.jpg", "a/sub/z.jpg", "b/1.png",
                                           "b/10.JPEG", "b/2.jpg"));
    EXPECT_EQ(index->entry(3).label, 1);
    EXPECT_EQ(index->entry(6).label, 3);
    EXPECT_EQ(index->entry(6).bytes, 3U);
    EXPECT_EQ(index->bytes(), 21U);
    EXPECT_THAT(index->class_sizes(), ElementsAre(1, 2, 1, 3));
  }
}

TEST(FolderScan, OddNamesSurvive) {
  const Folder folder;
  const std::set<std::string> names{"a b.jpg",   "a\nb.jpg", "\xC3\xA4\xE2\x82\xAC.jpg",    "'\"\\$x.jpg",
                                    "--set.jpg", "\x01.jpg", std::string(200, 'n') + ".jpg"};
  for (const std::string& name : names) folder.write("new\nline \xE2\x98\x83/" + name, Bytes(1));
  const std::string file = folder.path() + "/i";
  write_index(file, index_bytes(scan_folder(folder.path(), 2)));
  const auto index = FolderIndex::open(file);
  ASSERT_EQ(index->size(), static_cast<std::int64_t>(names.size()));
  EXPECT_THAT(index->class_names(), ElementsAre("new\nline \xE2\x98\x83"));
  for (const std::string& path : paths(*index)) {
    EXPECT_TRUE(fs::exists(folder.path() + "/" + path)) << path;
    EXPECT_TRUE(names.contains(fs::path(path).filename().string())) << path;
  }
}

TEST(FolderScan, SaysWhatItLeavesOut) {
  const Folder folder;
  folder.write("a/1.jpg", Bytes(1));
  folder.write("a/.hidden.jpg", Bytes(1));
  folder.write("a/read.me", Bytes(1));
  folder.write("a/no_ending", Bytes(1));
  fs::create_directories(folder.path() + "/empty");
  fs::create_directories(folder.path() + "/.cache");
  fs::create_directories(folder.path() + "/a/in");
  fs::create_directory_symlink(folder.path() + "/a", folder.path() + "/a/in/loop");
  fs::create_directory_symlink(folder.path(), folder.path() + "/up");
  fs::create_symlink("nowhere", folder.path() + "/a/dangling.jpg");
  ASSERT_EQ(mkfifo((folder.path() + "/a/pipe.jpg").c_str(), 0600), 0);
  const Listing listing = scan_folder(folder.path(), 3);
  EXPECT_THAT(listing.class_names, ElementsAre("a", "empty", "up"));
  EXPECT_THAT(paths(*FolderIndex::of(listing)), ElementsAre("a/1.jpg", "a/dangling.jpg"));
  EXPECT_THAT(listing.notes, ElementsAre(HasSubstr("empty has no image"), HasSubstr("up has no image"),
                                         AllOf(HasSubstr("links back to a folder"), HasSubstr("and 1 more")),
                                         HasSubstr("a/pipe.jpg"),
                                         AllOf(HasSubstr("without an image's ending"), HasSubstr("1 more")),
                                         HasSubstr("a/.hidden.jpg")));
}

TEST(FolderScan, NamesAFolderThatCannotBe) {
  const Folder folder;
  expect_error(ExitCode::data, {folder.path(), "has no folders"}, [&] { scan_folder(folder.path(), 1); });
  expect_error(ExitCode::data, {"none: the folder cannot be read"},
               [&] { scan_folder(folder.path() + "/none", 1); });
}

class IndexFile : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* name : {"t/a/1.jpg", "t/a/2.jpg", "t/b/3.jpg"}) folder.write(name, Bytes(5));
    content = index_bytes(scan_folder(root(), 1));
    write_index(file(), content);
  }
  std::string root() const { return folder.path() + "/t"; }
  std::string file() const { return index_path(root()).string(); }

  Folder folder;
  std::vector<std::uint8_t> content;
};

TEST_F(IndexFile, IsBesideItsFolderAndReadAgain) {
  EXPECT_EQ(file(), folder.path() + "/t.convoy-index");
  EXPECT_EQ(index_path(root() + "/"), index_path(root()));
  const auto index = FolderIndex::open(file());
  EXPECT_THAT(paths(*index), ElementsAre("a/1.jpg", "a/2.jpg", "b/3.jpg"));
  EXPECT_EQ(index->checksum(), FolderIndex::of(scan_folder(root(), 1))->checksum());
  EXPECT_FALSE(index->changed_folder(root()));
  EXPECT_THROW(index->entry(3), Error);
  EXPECT_THROW(index->entry(-1), Error);
}

TEST_F(IndexFile, NoticesThatItIsOlderThanTheFolder) {
  const auto index = FolderIndex::open(file());
  const fs::path b = folder.path() + "/t/b";
  fs::last_write_time(b, fs::last_write_time(b) + std::chrono::seconds(5));
  EXPECT_EQ(index->changed_folder(root()), b.string());
  write_index(file(), index_bytes(scan_folder(root(), 1)));
  EXPECT_FALSE(FolderIndex::open(file())->changed_folder(root()));
  fs::remove_all(b);
  EXPECT_TRUE(FolderIndex::open(file())->changed_folder(root()));
}

TEST_F(IndexFile, TheChecksumIsOfNamesSizesAndClasses) {
  const std::uint32_t before = FolderIndex::open(file())->checksum();
  const fs::path a = folder.path() + "/t/a";
  fs::last_write_time(a, fs::last_write_time(a) + std::chrono::seconds(5));
  EXPECT_EQ(FolderIndex::of(scan_folder(root(), 1))->checksum(), before);
  folder.write("t/a/1.jpg", Bytes(6));
  EXPECT_NE(FolderIndex::of(scan_folder(root(), 1))->checksum(), before);
}

// A byte changed anywhere, or the file cut or grown: an Error, when it is opened or when an entry is asked
// for.
TEST_F(IndexFile, DamageIsNoticed) {
  const auto read_all = [&](const Bytes& bytes) {
    folder.write("t.convoy-index", bytes);
    const auto index = FolderIndex::open(file());
    for (std::int64_t i = 0; i < index->size(); ++i) index->entry(i);
  };
  const std::size_t names = content.size() - 16;  // 15 letters of names, and padding
  for (std::size_t i = 0; i < names + 15; ++i) {
    Bytes damaged = content;
    damaged[i] ^= static_cast<std::uint8_t>(1U << i % 8);
    bool is_padding = false;
    try {
      read_all(damaged);
      // Only bytes between sections are nobody's.
      is_padding = content[i] == 0;
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), HasSubstr("write it anew: convoy data index"));
      EXPECT_EQ(error.code(), ExitCode::data);
      // What is found late is not the fault of the sample that was asked for.
      const bool late = std::string(error.what()).find("block") != std::string::npos;
      EXPECT_EQ(is_of_sample(error), !late);
      continue;
    }
    EXPECT_TRUE(is_padding) << "byte " << i;
  }
  for (std::size_t length = 0; length < content.size(); length += 7) {
    EXPECT_THROW(read_all({content.begin(), content.begin() + static_cast<std::ptrdiff_t>(length)}), Error);
  }
  Bytes longer = content;
  longer.resize(content.size() + 8);
  EXPECT_THROW(read_all(longer), Error);
}

// 1.28 million images: opening does not look at them, and an image in the middle costs its block.
TEST(FolderIndexAtScale, OpensInConstantTime) {
  Listing listing;
  listing.folders.push_back({"", -1, 0, {}});
  for (int c = 0; c < 1000; ++c) {
    const std::string name = fmt::format("n{:08}", c);
    listing.class_names.push_back(name);
    ListedFolder& folder = listing.folders.emplace_back();
    folder.path = name;
    folder.label = c;
    for (int i = 0; i < 1281; ++i) folder.files.push_back({fmt::format("{}_{:05}.JPEG", name, i), 110000});
  }
  const Folder folder;
  const std::string file = folder.path() + "/train.convoy-index";
  write_index(file, index_bytes(listing));
  listing = {};
  const auto start = std::chrono::steady_clock::now();
  const auto index = FolderIndex::open(file);
  EXPECT_EQ(index->size(), 1281000);
  EXPECT_EQ(index->entry(640700).path, "n00000500/n00000500_00200.JPEG");
  EXPECT_EQ(index->entry(1280999).label, 999);
  EXPECT_EQ(index->bytes(), 1281000ULL * 110000);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(500));
}

}  // namespace
}  // namespace convoy
