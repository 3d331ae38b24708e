#include <set>

#include "tests/trainer/data/data_files.h"
#include "trainer/data/class_names.h"
#include "trainer/data/dataset.h"

namespace convoy {
namespace {

/// One record: labels, then planes; the value of a pixel tells its record, channel and place.
std::uint8_t value_at(int record, int channel, int place) {
  return static_cast<std::uint8_t>(31 * record + 101 * channel + 7 * place);
}

Bytes record_of(int record, const Bytes& labels) {
  Bytes bytes = labels;
  for (int channel = 0; channel < 3; ++channel) {
    for (int place = 0; place < 1024; ++place) bytes.push_back(value_at(record, channel, place));
  }
  return bytes;
}

void expect_record(const Dataset& set, std::int64_t index, int record, int label) {
  Image image;
  EXPECT_EQ(set.read(index, image), label);
  ASSERT_EQ(image.pixels.size(), 3072U);
  EXPECT_EQ(image.channels, 3);
  for (int place = 0; place < 1024; ++place) {
    for (int channel = 0; channel < 3; ++channel) {
      ASSERT_EQ(image.pixels[static_cast<std::size_t>(3 * place + channel)],
                value_at(record, channel, place));
    }
  }
}

/// Five files of two records each; record r has label r.
void write_cifar10(const Folder& folder, const std::string& below, bool packed) {
  for (int i = 0; i < 5; ++i) {
    const Bytes content = record_of(2 * i, {static_cast<std::uint8_t>(2 * i)}) +
                          record_of(2 * i + 1, {static_cast<std::uint8_t>(2 * i + 1)});
    const std::string name = below + "data_batch_" + std::to_string(i + 1) + ".bin";
    folder.write(packed ? name + ".gz" : name, packed ? gzipped(content) : content);
  }
  folder.write(below + "test_batch.bin", record_of(50, {4}));
}

TEST(Cifar, ReadsTenClassesFromEitherFolder) {
  for (const std::string below : {"", "cifar-10-batches-bin/"}) {
    for (const bool packed : {false, true}) {
      const Folder folder;
      write_cifar10(folder, below, packed);
      const DataSource source{.kind = "cifar10", .root = folder.path()};
      const auto train = open_dataset(source, Split::train);
      EXPECT_EQ(train->size(), 10);
      EXPECT_EQ(train->shape(), (Shape{3, 32, 32}));
      EXPECT_EQ(train->class_names(), cifar10_names());
      for (int i = 0; i < 10; ++i) expect_record(*train, i, i, i);
      expect_record(*open_dataset(source, Split::test), 0, 50, 4);
    }
  }
}

TEST(Cifar, TakesTheFineLabelOfAHundredClasses) {
  const Folder folder;
  folder.write("cifar-100-binary/train.bin", record_of(1, {19, 99}) + record_of(2, {0, 20}));
  const auto set = open_dataset({.kind = "cifar100", .root = folder.path()}, Split::train);
  EXPECT_EQ(set->classes(), 100);
  expect_record(*set, 0, 1, 99);
  expect_record(*set, 1, 2, 20);
}

TEST(Cifar, NamesComeFromTheFileWhereThereIsOne) {
  const Folder folder;
  write_cifar10(folder, "", false);
  const DataSource source{.kind = "cifar10", .root = folder.path()};
  const std::string names = "a\r\nb\nc\nd\ne\nf\ng\nh\ni\nj\n\n";
  folder.write("batches.meta.txt", Bytes(names.begin(), names.end()));
  EXPECT_EQ(open_dataset(source, Split::test)->class_names().at(0), "a");
  EXPECT_EQ(open_dataset(source, Split::test)->class_names().at(9), "j");
  folder.write("batches.meta.txt", Bytes(names.begin(), names.begin() + 9));
  expect_error(ExitCode::data, {"batches.meta.txt", "has 4 class names, expected 10"},
               [&] { open_dataset(source, Split::test); });
}

TEST(Cifar, StandardNamesAreAHundredDifferentOnesInOrder) {
  const std::vector<std::string> names = cifar100_names();
  EXPECT_EQ(names.size(), 100U);
  EXPECT_EQ(std::set<std::string>(names.begin(), names.end()).size(), 100U);
  EXPECT_TRUE(std::is_sorted(names.begin(), names.end()));
}

TEST(Cifar, RefusesEveryBrokenForm) {
  const Folder folder;
  const DataSource ten{.kind = "cifar10", .root = folder.path()};
  const auto expect_broken = [&](const Bytes& content, const std::vector<std::string>& parts) {
    folder.write("test_batch.bin", content);
    expect_error(ExitCode::data, parts, [&] { open_dataset(ten, Split::test); });
  };
  Bytes good = record_of(0, {1}) + record_of(1, {2});
  expect_broken({}, {"test_batch.bin", "is empty"});
  expect_broken(Bytes(good.begin(), good.end() - 1),
                {"ends at byte 6145, 1 bytes before the end of a record"});
  expect_broken(good + Bytes{0}, {"ends at byte 6147, 3072 bytes before"});
  expect_broken(record_of(0, {1}) + record_of(1, {10}), {"record 1 has label 10, expected 0 to 9"});
  Bytes packed = gzipped(good);
  expect_broken(Bytes(packed.begin(), packed.end() - 9), {"gzip file is cut short"});
  packed[packed.size() - 5] ^= 1U;
  expect_broken(packed, {"gzip file is damaged"});
  expect_broken(gzipped(Bytes(std::size_t{10001} * 3073)), {"goes on after byte 30730000"});

  folder.write("test.bin", record_of(0, {20, 3}));
  const DataSource hundred{.kind = "cifar100", .root = folder.path()};
  expect_error(ExitCode::data, {"record 0 has coarse label 20, expected 0 to 19"},
               [&] { open_dataset(hundred, Split::test); });
  folder.write("test.bin", record_of(0, {2, 100}));
  expect_error(ExitCode::data, {"record 0 has label 100"}, [&] { open_dataset(hundred, Split::test); });
}

TEST(Cifar, NamesTheMissingFileAndWhereItComesFrom) {
  const Folder folder;
  write_cifar10(folder, "", false);
  std::filesystem::remove(folder.path() + "/data_batch_3.bin");
  const DataSource source{.kind = "cifar10", .root = folder.path()};
  expect_error(ExitCode::data, {folder.path() + "/data_batch_3.bin", "cifar-10-binary.tar.gz", "data.root"},
               [&] { open_dataset(source, Split::train); });
}

}  // namespace
}  // namespace convoy
